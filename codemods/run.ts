/** Implements the commands. Kept apart because it loads the compiler, which other command lines do not need. */
import { CommandError } from "#host";
import type { CodemodOptions, Print } from "./command.ts";
import { collectGarbage, optimiseLess } from "./engine.ts";
import { ExitCode } from "./errors.ts";
import type { Plan } from "./passes/4-plan.ts";
import { changedFiles, preparePlan } from "./passes/5-apply.ts";
import { jsonReport, statisticsOf, summary, unifiedDiff } from "./passes/6-report.ts";
import { planConversion, type Verify } from "./pipeline.ts";
import { jsonProofs, proofReport, provePlan } from "./prove/report.ts";
import type { Direction } from "./regions/facts.ts";
import type { Subject } from "./regions/makers.ts";
import { ReportFiles } from "./report-files.ts";
import { configurationsRead } from "./source/compiler-options.ts";
import { discover, type Skipped, SkipReason } from "./source/discover.ts";
import { withinStack } from "./source/too-deep.ts";
import { Foresight } from "./verify/foresight.ts";
import { compilePlan } from "./verify/phase.ts";
import { SecondThread } from "./verify/second-thread.ts";

/** The codemod command; returns the exit code. @throws CommandError for usage errors and unreadable input. */
export async function runCodemod(
  direction: Direction,
  paths: readonly string[],
  options: CodemodOptions,
  print: Print,
): Promise<ExitCode> {
  optimiseLess();
  const report = new ReportFiles({ "--json": options.json }, print);
  try {
    await report.ready();
    const { sources, skipped } = discover(paths);
    report.keepApart(sources, () => configurationsRead(sources));
    const subject = options.children ? "children" : "regions";
    const plan = withinStack(sources, () => planVerified(sources, direction, subject));
    requireDevices(plan, paths);
    const proofs = options.prove ? await provePlan(plan) : undefined;
    const differs = proofs?.some(({ verdict }) => verdict === "different") === true;
    const writes = options.write === true && !differs;
    const outputs = writes ? preparePlan(plan, { allowDirty: options.allowDirty ?? false }) : undefined;
    const said = { written: writes, skipped: withSearched(skipped, plan) };
    try {
      report.writeJson("--json", () => ({
        ...jsonReport(plan, said),
        ...(proofs === undefined ? {} : { proofs: jsonProofs(proofs) }),
      }));
      if (!report.takesStandardOutput) {
        if (!options.write) print(unifiedDiff(plan));
        print(summary(plan, said));
        if (proofs !== undefined) print(proofReport(proofs));
      }
      await report.flush();
      outputs?.commit();
    } finally {
      outputs?.discard();
    }
    await report.commit();
    if (differs) return ExitCode.Different;
    if (statisticsOf(plan).refused > 0) return ExitCode.Refused;
    return options.check && changedFiles(plan).length > 0 ? ExitCode.No : ExitCode.Done;
  } finally {
    report.discard();
  }
}

/** Files that were left out, with those that were only searched; sorted by path, each once. */
function withSearched(skipped: readonly Skipped[], { notUtf8 }: Plan): Skipped[] {
  const byPath = new Map(
    notUtf8.map((path): [string, Skipped] => [path, { path, reason: SkipReason.NotUtf8 }]),
  );
  for (const each of skipped) byPath.set(each.path, each);
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The plan of a conversion whose result compiles. */
function planVerified(sources: readonly string[], direction: Direction, subject: Subject): Plan {
  const second = SecondThread.forMany(sources);
  try {
    const foresight = second && new Foresight(second);
    const verify: Verify = (units, program) => {
      if (second !== undefined) collectGarbage(); // while the thread compiles, for which the plan waits
      return compilePlan(units, program, { second, foresight });
    };
    const foresee = foresight?.foresee.bind(foresight);
    return planConversion(sources, direction, { verify, foresee, subject });
  } finally {
    second?.stop();
  }
}

function requireDevices({ files }: Plan, paths: readonly string[]): void {
  if (files.some(({ deviceCount, sites }) => deviceCount > 0 || sites.length > 0)) return;
  throw new CommandError(
    `${paths.join(", ")}: no device found: no class derives from a QOM object; check the path`,
  );
}
