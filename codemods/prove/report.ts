/** Proof of a plan, and its report for people and for programs. */
import { colors as standardColors } from "../colors.ts";
import type { Plan } from "../passes/4-plan.ts";
import { count } from "../passes/6-report.ts";
import { printed, shown } from "../source/workspace.ts";
import type { Difference } from "./compare.ts";
import { type Proof, Prover, type ProverOptions } from "./prover.ts";

type Colors = Pick<typeof standardColors, "red" | "green" | "yellow" | "dim">;

/** Differences of one class that are shown; the first usually causes the others. */
const MOST_DIFFERENCES = 3;

/** Runs every device that a plan concerns, in both forms. @throws CommandError if its components cannot be found. */
export async function provePlan({ files }: Plan, options: ProverOptions = {}): Promise<Proof[]> {
  const prover = new Prover(options);
  try {
    return await prover.prove({
      before: new Map(files.map(({ path, before }) => [path, before])),
      after: new Map(files.map(({ path, after }) => [path, after])),
    });
  } finally {
    await prover.close();
  }
}

/** One line for each class, with its differences below, then the totals. */
export function proofReport(proofs: readonly Proof[], colors: Colors = standardColors): string {
  const lines = proofs.flatMap((proof) => proofLines(proof, colors));
  const number = (wanted: Proof["verdict"]) => proofs.filter(({ verdict }) => verdict === wanted).length;
  const differing = number("different");
  const closing = differing > 0 ? "; nothing is written" : "";
  lines.push(
    `${count(number("equal"), "device")} proved equal, ${differing} different, ${number("not driven")} not driven${closing}`,
  );
  return `${lines.join("\n")}\n`;
}

function proofLines(
  { file, className, verdict, differences, notes, steps }: Proof,
  colors: Colors,
): string[] {
  const subject = `${printed(file)}: ${className}`;
  if (verdict === "not driven")
    return [`${subject}: ${colors.yellow("not driven")}, so nothing is proved: ${notes.join("; ")}`];
  if (verdict === "equal") {
    const line = `${subject}: ${colors.green("equal")} in ${count(steps, "step")}`;
    return [line, ...notes.map((note) => `  ${colors.dim(note)}`)];
  }
  const shownOnes = differences.slice(0, MOST_DIFFERENCES).flatMap(differenceLines);
  const left = differences.length - MOST_DIFFERENCES;
  return [
    `${subject}: ${colors.red("different")}`,
    ...shownOnes,
    ...(left > 0 ? [`  and ${count(left, "more difference")}`] : []),
  ];
}

function differenceLines({ life, step, what, before, after }: Difference): string[] {
  return [`  ${life}: ${step}: ${what}`, `    before: ${before}`, `    after:  ${after}`];
}

/** The proofs as a value for `JSON.stringify`. */
export function jsonProofs(proofs: readonly Proof[]): unknown {
  return proofs.map((proof) => ({ ...proof, file: shown(proof.file) }));
}
