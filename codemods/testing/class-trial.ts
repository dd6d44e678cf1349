/** Conversion, type check and proof of many generated classes at a time. */
import type { Direction } from "../regions/facts.ts";
import type { GeneratedClass } from "./classes/generator.ts";
import { newMessages, type Sources, type Trials } from "./trial.ts";

/** What became of a batch of classes. */
export interface BatchResult {
  readonly converted: number;
  readonly refused: number;
  /** Refused classes by reason; one class counts for each of its reasons. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Classes that were converted wrong: the seed, what it is made of, and what is wrong. */
  readonly wrong: readonly string[];
  /** Converted classes that no life could drive. */
  readonly notDriven: readonly string[];
  /** Refused classes without a hazard, by what they are made of. */
  readonly strict: readonly string[];
}

/** Converts, checks and proves classes, which do not share a name. */
export async function tryClasses(
  trials: Trials,
  classes: readonly GeneratedClass[],
  direction: Direction,
): Promise<BatchResult> {
  const nameOf = ({ seed }: GeneratedClass) => `class${seed}`;
  const conversions = trials.convert(
    new Map(classes.map((each) => [nameOf(each), { "dev.ts": each.text }])),
    direction,
  );
  const tried = classes.flatMap((each) => {
    const conversion = conversions.get(nameOf(each));
    return conversion === undefined ? [] : [{ each, name: nameOf(each), conversion }];
  });
  const wrong: string[] = [];
  const notDriven: string[] = [];
  const strict: string[] = [];
  const reasons: Record<string, number> = {};
  let refused = 0;
  const changed = tried.filter(({ conversion }) => conversion.changed);
  const programs = new Map(
    changed.map(({ each, name, conversion }) => [
      name,
      { before: { "dev.ts": each.text }, after: conversion.after },
    ]),
  );
  const messages = programs.size === 0 ? new Map<string, string[]>() : newMessages(programs);
  const sources = (form: "before" | "after"): Sources =>
    Object.fromEntries([...programs].map(([name, program]) => [`${name}.ts`, program[form]["dev.ts"] ?? ""]));
  const proofs = await trials.prove("classes", sources("before"), sources("after"));
  for (const { each, name: program, conversion } of tried) {
    const name = `seed ${each.seed}: ${[...each.features, ...each.styles].join(" + ")}`;
    if (conversion.crash !== null) wrong.push(`${name}: fails: ${conversion.crash}`);
    if (conversion.reasons.length > 0) {
      refused++;
      for (const reason of conversion.reasons) reasons[reason] = (reasons[reason] ?? 0) + 1;
      if (!each.hasHazard) strict.push(`${name}: ${conversion.reasons.join(", ")}`);
    }
    if (!conversion.changed) continue;
    const [message] = messages.get(program) ?? [];
    if (message !== undefined) wrong.push(`${name}: does not compile: ${message}`);
    const mine = proofs.filter((proof) => proof.file.endsWith(`/${program}.ts`));
    for (const { className, verdict, differences } of mine) {
      const [first] = differences;
      if (verdict !== "different" || first === undefined) continue;
      const { life, step, what, before, after } = first;
      wrong.push(`${name}: ${className}: ${life}, ${step}, ${what}: ${before} → ${after}`);
    }
    if (!mine.some(({ verdict }) => verdict !== "not driven"))
      notDriven.push(`${name}: ${mine.flatMap(({ notes }) => notes)[0] ?? "no class"}`);
  }
  return { converted: classes.length - refused, refused, reasons, wrong, notDriven, strict };
}

export function addResults(one: BatchResult, other: BatchResult): BatchResult {
  const reasons: Record<string, number> = { ...one.reasons };
  for (const [reason, count] of Object.entries(other.reasons))
    reasons[reason] = (reasons[reason] ?? 0) + count;
  return {
    converted: one.converted + other.converted,
    refused: one.refused + other.refused,
    reasons,
    wrong: [...one.wrong, ...other.wrong],
    notDriven: [...one.notDriven, ...other.notDriven],
    strict: [...one.strict, ...other.strict],
  };
}

/** Converted and refused classes, and the shares of the reasons. */
export function summaryOf(
  { converted, refused, reasons, strict }: BatchResult,
  direction: Direction,
): string {
  const total = converted + refused;
  const share = (count: number) => `${((100 * count) / total).toFixed(1)} %`;
  const lines = Object.entries(reasons)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `  ${reason}: ${count}, ${share(count)}`);
  return [
    `${direction}: ${total} classes, ${converted} converted (${share(converted)}), ${refused} refused (${share(refused)}), ${strict.length} of them without a hazard`,
    ...lines,
    "",
  ].join("\n");
}
