/** Every kind that generated classes are made of, by itself. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BatchResult, tryClasses } from "../testing/class-trial.ts";
import { classWith, type GeneratedClass, generateClass, kindsOf } from "../testing/classes/generator.ts";
import { KNOWN_WRONG_KINDS } from "../testing/known-faults.ts";
import { messagesOfAll, Trials } from "../testing/trial.ts";

const directions = ["to-owned", "to-embedded"] as const;

describe.each(directions)("classes to convert %s", (direction) => {
  const { shapes, hazards, styles } = kindsOf(direction);
  const [plain] = shapes;
  const alone: GeneratedClass[] = [
    ...[...shapes, ...hazards].map((feature) => ({ feature, style: null })),
    ...styles.map((style) => ({ feature: plain, style })),
  ].map(({ feature, style }, index) => {
    if (feature === undefined) throw new Error("no shape");
    return {
      seed: index,
      features: [feature.name],
      styles: style === null ? [] : [style.name],
      hasHazard: feature.hazard === true,
      text: classWith(feature, style),
    };
  });
  const trials = new Trials();
  let result: BatchResult;
  beforeAll(async () => {
    result = await tryClasses(trials, alone, direction);
  }, 240_000);
  afterAll(() => trials.close());

  test("are of more than forty kinds, each with a name of its own", () => {
    const names = [...shapes, ...hazards, ...styles].map(({ name }) => name);
    expect(names.length).toBeGreaterThan(40);
    expect(new Set(names).size).toBe(names.length);
  });

  test("compile, alone and combined", () => {
    const combined = Array.from({ length: 100 }, (_, seed) => generateClass(direction, seed));
    const texts = [...alone, ...combined].map(({ text, features, styles }, index) => {
      return [`${index} ${[...features, ...styles].join(" + ")}.ts`, text] as const;
    });
    expect(messagesOfAll(Object.fromEntries(texts))).toEqual([]);
  });

  test("can be driven, and do the same in every run", async () => {
    const before = Object.fromEntries(alone.map(({ seed, text }) => [`class${seed}.ts`, text]));
    const after = Object.fromEntries(alone.map(({ seed, text }) => [`class${seed}.ts`, `${text}// again\n`]));
    const proofs = await trials.prove("alone", before, after);
    const faults = proofs.filter(({ verdict }) => verdict !== "equal");
    expect(
      faults.map(({ file, notes }) => [alone[Number(/(\d+)\.ts$/.exec(file)?.[1])]?.features, notes]),
    ).toEqual([]);
  });

  test("equal seeds give equal classes", () => {
    expect(generateClass(direction, 5)).toEqual(generateClass(direction, 5));
    expect(generateClass(direction, 5).text).not.toBe(generateClass(direction, 6).text);
  });

  test("are converted right, each kind alone, but for the known faults", () => {
    const names = result.wrong.map((line) => /^seed \d+: (.*?): /.exec(line)?.[1] ?? line);
    expect([...new Set(names)].sort(), result.wrong.join("\n")).toEqual(KNOWN_WRONG_KINDS[direction]);
    expect(result.notDriven).toEqual([]);
  });
});
