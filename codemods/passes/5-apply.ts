/** Phase 5: writes the planned texts, all of them or none, and only if the files are unchanged since planning. */
import { CommandError, type PreparedOutputs, prepareOutputs } from "#host";
import { requireClean } from "../source/git.ts";
import { hashOf, readSource, shown } from "../source/workspace.ts";
import type { FilePlan, Plan } from "./4-plan.ts";

/** Files that the plan changes. */
export function changedFiles({ files }: Plan): FilePlan[] {
  return files.filter(({ before, after }) => before !== after);
}

/**
 * Gets a plan ready to be written: `commit` of the result replaces the files. @throws CommandError, with nothing left
 * behind, if a file has changed, cannot be written, or (unless `allowDirty`) could not be restored by git.
 */
export function preparePlan(
  plan: Plan,
  { allowDirty = false }: { allowDirty?: boolean } = {},
): PreparedOutputs {
  const changed = changedFiles(plan);
  if (!allowDirty) requireClean(changed.map(({ path }) => path));
  for (const { path, sha256 } of changed) {
    if (hashOf(readSource(path)) !== sha256) {
      throw new CommandError(`${shown(path)}: changed while the conversion was planned; run again`);
    }
  }
  return prepareOutputs(new Map(changed.map(({ path, after }) => [path, after])), { shown });
}
