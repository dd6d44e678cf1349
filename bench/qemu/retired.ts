/** How much a guest did in each of its rounds, in all processes of all builds. */
import { CommandError } from "#host";
import { COUNT_MARGIN_PERCENT } from "#results";

/**
 * Processes whose guests retire numbers of instructions that are this far apart did the same work: the difference is a tenth
 * of what counts as equivalent. It is told as a spread, beside that of the unconverted build against itself.
 */
const SAME_WORK_PERCENT = COUNT_MARGIN_PERCENT / 10;

interface Range {
  least: number;
  most: number;
}

export class Retired {
  private readonly guest: string;
  /** By round; the ranges by build. */
  private readonly rounds: Map<string, Range>[] = [];

  /** @param guest its name, for messages */
  constructor(guest: string) {
    this.guest = guest;
  }

  /** @throws CommandError (exit code 1) if this is other work than in the same round of an earlier process */
  add(build: string, round: number, instructions: number): void {
    this.rounds[round] ??= new Map();
    const ranges = this.rounds[round];
    for (const [other, { least, most }] of ranges) {
      for (const before of [least, most]) {
        if (Math.abs(instructions - before) <= (before * SAME_WORK_PERCENT) / 100) continue;
        throw new CommandError(
          `${this.guest} retired ${instructions} instructions in ${build}, but in an earlier process of ${other} ${before}`,
          { exitCode: 1 },
        );
      }
    }
    const range = ranges.get(build);
    if (range === undefined) {
      ranges.set(build, { least: instructions, most: instructions });
      return;
    }
    range.least = Math.min(range.least, instructions);
    range.most = Math.max(range.most, instructions);
  }

  /** The first round in which processes differed; undefined if none did. */
  spread(): string | undefined {
    for (const [round, ranges] of this.rounds.entries()) {
      const values = [...ranges.values()].flatMap(({ least, most }) => [least, most]);
      if (new Set(values).size < 2) continue;
      const each = [...ranges].map(([build, { least, most }]) =>
        least === most ? `${least} in ${build}` : `${least} to ${most} in ${build}`,
      );
      return `${this.guest} did not retire the same number of instructions in all processes; in round ${round + 1}: ${each.join(", ")}.`;
    }
    return undefined;
  }
}
