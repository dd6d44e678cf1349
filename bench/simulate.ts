/** `npm run bench:simulate`: prints how often the stopping rule makes wrong claims, by shape of noise and effect. */
import { Command, CommanderError } from "commander";
import { CommandError } from "#host";
import { type Verdict, verdictWord } from "#results";
import { Random, sequentialRule } from "#results/statistics";
import { FULL_LOOKS, QUICK_LOOKS, readWhole } from "./options.ts";
import { EFFECTS, type Rates, SHAPES, simulate } from "./simulation.ts";

/** Largest acceptable rate of wrong claims. */
const MOST_WRONG = 0.05;
const COLUMNS: readonly Verdict[] = ["equivalent", "slower", "faster", "no difference", "inconclusive"];

function print(trials: number, seed: number): number {
  let broken = 0;
  for (const [name, looks] of [
    ["quick", QUICK_LOOKS],
    ["full", FULL_LOOKS],
  ] as const) {
    const { level } = sequentialRule(looks);
    write(
      `\nLooks of a ${name} run: after ${looks.join(", ")} processes, each at ${(100 * level).toFixed(2)} %\n`,
    );
    write(
      row("noise", "effect", [...COLUMNS.map((each) => verdictWord(each, "time")), "wrong", "processes"]),
    );
    for (const { name: shape, noise } of SHAPES) {
      for (const effect of EFFECTS) {
        const random = Random.seeded(seed, `${name}/${shape}/${effect}`);
        const rates = simulate(looks, noise, effect, trials, random);
        if (rates.wrong > MOST_WRONG * trials) broken++;
        write(row(shape, `${effect}`, cells(rates)));
      }
    }
  }
  write(
    "\nEffects are in units of the margin. Wrong: a difference is claimed where there is none, or in the wrong direction, or " +
      "equivalence is claimed for a difference as large as the margin. Processes: mean over trials.\n",
  );
  if (broken > 0) write(`Failed: ${broken} rates of wrong claims are above ${100 * MOST_WRONG} %.\n`);
  return broken === 0 ? 0 : 1;
}

function cells({ trials, verdicts, wrong, processes }: Rates): string[] {
  const percent = (count: number) => `${((100 * count) / trials).toFixed(1)} %`;
  return [
    ...COLUMNS.map((verdict) => percent(verdicts.get(verdict) ?? 0)),
    percent(wrong),
    (processes / trials).toFixed(1),
  ];
}

function row(shape: string, effect: string, columns: readonly string[]): string {
  return `${shape.padEnd(36)}${effect.padStart(6)}${columns.map((text) => text.padStart(14)).join("")}\n`;
}

function write(text: string): void {
  process.stdout.write(text);
}

const program = new Command("bench:simulate")
  .description("try the stopping rule on simulated processes whose true difference is known")
  .option("--trials <n>", "trials for each shape of noise and effect", "2000")
  .option("--seed <n>", "seed of the random numbers", "1")
  .exitOverride();

try {
  program.parse();
  const { trials, seed } = program.opts<{ trials: string; seed: string }>();
  process.exitCode = print(
    readWhole("--trials", trials, 1, 1_000_000),
    readWhole("--seed", seed, 0, 2 ** 32 - 1),
  );
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof CommandError) {
    process.stderr.write(`bench:simulate: ${error.message}\n`);
    process.exitCode = error.exitCode;
  } else throw error;
}
