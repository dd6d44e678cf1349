import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Root folder of the package, which contains the guest programs. Searches for it, because this code runs from
 * `workloads/` and from `dist/workloads/`.
 */
export function packageRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
    if (folder === dirname(folder)) {
      throw new Error(
        `no package.json above ${start}: keep dist/ and workloads/ inside the regionlab package`,
      );
    }
  }
}
