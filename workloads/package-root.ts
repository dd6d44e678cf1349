import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Folder of the package: the guest programs lie there, and this code runs from `workloads/` as well as from
 * `dist/workloads/`.
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
