/** Figures of QEMU itself beside those of this emulator: one run that holds both, each judged by its own figures. */
import { CommandError } from "#host";
import { questionKey, type ReportRow, rowsOf } from "./rows.ts";
import type { Environment, Run, Verdict } from "./schema.ts";

/**
 * Adds the figures of a run of `bench qemu` to a run of `bench`. No verdict of either changes, because each source is
 * judged by its own figures.
 *
 * @param option the option and file of the figures of QEMU, for messages
 * @throws CommandError (exit code 2) when the runs do not belong together
 */
export function withQemu(run: Run, qemu: Run, option: string): Run {
  if (qemu.metrics.length === 0 || qemu.metrics.some(({ source }) => source !== "qemu")) {
    throw new CommandError(
      `${option}: has ${qemu.metrics.length === 0 ? "no figures" : "figures of this emulator"}; give a file that ` +
        "`regionlab bench qemu -o` wrote",
    );
  }
  if (run.metrics.some(({ source }) => source === "qemu")) {
    throw new CommandError(
      `${option}: the run has figures of QEMU already; leave out ${option.split(" ")[0]}`,
    );
  }
  if (run.equivalence.some(({ equal }) => !equal)) {
    throw new CommandError(
      `${option}: the run has no figures to put them beside, because its forms did not run the same guest; give another run`,
    );
  }
  const [ours, theirs] = [run.options.forms, qemu.options.forms];
  if (ours.A !== theirs.A || ours.B !== theirs.B) {
    throw new CommandError(
      `${option}: compares ${theirs.A} with ${theirs.B}, and the run ${ours.A} with ${ours.B}; give a run of the same forms`,
    );
  }
  const offset = run.schedule.processes.length;
  const processes = qemu.schedule.processes.map((entry) => ({
    ...entry,
    machine: entry.machine + run.machines.length,
  }));
  return {
    ...run,
    options: { ...run.options, command: `${run.options.command}\n${qemu.options.command}` },
    machines: [...run.machines, ...qemu.machines.map((machine) => named(machine, run.machines))],
    schedule: { ...run.schedule, processes: [...run.schedule.processes, ...processes] },
    metrics: [
      ...run.metrics,
      ...qemu.metrics.map((metric) => ({
        ...metric,
        processes: metric.processes.map((index) => index + offset),
      })),
    ],
    omissions: [...run.omissions, ...qemu.omissions],
  };
}

/** The same machine measures both sources, but not at the same time: it gets an entry for each. */
function named(machine: Environment, others: readonly Environment[]): Environment {
  let { id } = machine;
  while (others.some((other) => other.id === id)) id = `${id}-qemu`;
  return { ...machine, id };
}

/** Which form takes less: that of arm A, that of arm B, or neither. */
export type Ranking = "first" | "second" | "equal";

/** The ranking that a verdict gives; null if it is open. */
export function rankingOf(verdict: Verdict): Ranking | null {
  switch (verdict) {
    case "slower":
      return "first";
    case "faster":
      return "second";
    case "equivalent":
      return "equal";
    default:
      return null;
  }
}

/** A question that both sources answer, or try to. */
export interface Agreement {
  readonly ours: ReportRow;
  readonly theirs: ReportRow;
  /** Whether both rank the forms alike; null if either is open. */
  readonly agree: boolean | null;
}

/** Every question that has figures of both sources, in the order of the run. */
export function agreementsOf(run: Pick<Run, "metrics" | "omissions">): Agreement[] {
  const inQemu = new Map(rowsOf(run, "qemu").map((row) => [questionKey(row), row]));
  return rowsOf(run).flatMap((ours) => {
    const theirs = inQemu.get(questionKey(ours));
    if (theirs === undefined || ours.figures.length === 0 || theirs.figures.length === 0) return [];
    const [mine, other] = [rankingOf(ours.verdict), rankingOf(theirs.verdict)];
    return [{ ours, theirs, agree: mine === null || other === null ? null : mine === other }];
  });
}
