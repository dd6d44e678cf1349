import { homedir } from "node:os";
import { join } from "node:path";

/** Folder for fetched files, outside the repository: `$REGIONLAB_CACHE`, or `~/.cache/regionlab`. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.REGIONLAB_CACHE || join(homedir(), ".cache", "regionlab");
}
