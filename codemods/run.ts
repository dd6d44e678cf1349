/** Implements the commands. Kept apart because it loads the compiler, which other command lines do not need. */
import { CommandError, OutputFile, requireApart } from "#host";
import type { CodemodOptions, Print } from "./command.ts";
import { ExitCode } from "./errors.ts";
import type { Plan } from "./passes/4-plan.ts";
import { applyPlan, changedFiles } from "./passes/5-apply.ts";
import { jsonReport, statisticsOf, summary, unifiedDiff } from "./passes/6-report.ts";
import { planConversion, type Verify } from "./pipeline.ts";
import { jsonProofs, proofReport, provePlan } from "./prove/report.ts";
import type { Direction } from "./regions/facts.ts";
import type { Subject } from "./regions/makers.ts";
import { discover } from "./source/discover.ts";
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
  return withJsonReport(options.json, print, async (report, keepApart) => {
    const { sources, skipped } = discover(paths);
    keepApart(sources);
    const plan = planVerified(sources, direction, options.children ? "children" : "regions");
    requireDevices(plan, paths);
    const proofs = options.prove ? await provePlan(plan) : undefined;
    const differs = proofs?.some(({ verdict }) => verdict === "different") === true;
    const writes = options.write === true && !differs;
    if (writes) applyPlan(plan, { allowDirty: options.allowDirty ?? false });
    const said = { written: writes, skipped };
    report({ ...jsonReport(plan, said), ...(proofs === undefined ? {} : { proofs: jsonProofs(proofs) }) });
    if (options.json !== "-") {
      if (!options.write) print(unifiedDiff(plan));
      print(summary(plan, said));
      if (proofs !== undefined) print(proofReport(proofs));
    }
    if (differs) return ExitCode.Different;
    if (statisticsOf(plan).refused > 0) return ExitCode.Refused;
    return options.check && changedFiles(plan).length > 0 ? ExitCode.No : ExitCode.Done;
  });
}

/** The plan of a conversion whose result compiles. */
function planVerified(sources: readonly string[], direction: Direction, subject: Subject): Plan {
  const second = SecondThread.forMany(sources);
  try {
    const foresight = second && new Foresight(second);
    const verify: Verify = (units, program) => compilePlan(units, program, { second, foresight });
    const foresee = foresight?.foresee.bind(foresight);
    return planConversion(sources, direction, { verify, foresee, subject });
  } finally {
    second?.stop();
  }
}

/** Prepares the report's file before anything is read or written; without `--json` the report is discarded. */
async function withJsonReport(
  path: string | undefined,
  print: Print,
  run: (
    report: (value: unknown) => void,
    keepApart: (sources: readonly string[]) => void,
  ) => ExitCode | Promise<ExitCode>,
): Promise<ExitCode> {
  const file = path === undefined || path === "-" ? null : new OutputFile("--json", path);
  try {
    await file?.ready();
    const code = await run(
      (value) => {
        const text = `${JSON.stringify(value, undefined, 2)}\n`;
        if (file !== null) file.write(text);
        else if (path === "-") print(text);
      },
      (sources) => {
        if (file !== null)
          requireApart(
            [file],
            sources.map((source) => ({ option: "the source", path: source })),
          );
      },
    );
    await file?.commit();
    return code;
  } finally {
    file?.discard();
  }
}

function requireDevices({ files }: Plan, paths: readonly string[]): void {
  if (files.some(({ deviceCount, sites }) => deviceCount > 0 || sites.length > 0)) return;
  throw new CommandError(
    `${paths.join(", ")}: no device found: no class derives from a QOM object; check the path`,
  );
}
