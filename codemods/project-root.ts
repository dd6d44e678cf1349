import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError } from "#host";

/** Folder of the package that this code belongs to. @throws CommandError outside one */
export function projectRoot(start = dirname(fileURLToPath(import.meta.url))): string {
  for (let directory = start; ; directory = dirname(directory)) {
    if (existsSync(join(directory, "package.json"))) return directory;
    if (directory === dirname(directory))
      throw new CommandError(`${start}: no package.json above; run inside the project`);
  }
}
