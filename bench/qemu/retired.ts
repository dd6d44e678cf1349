/** How much a guest did, in all processes of all builds. */
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
  private readonly ranges = new Map<string, Range>();

  /** @param guest its name, for messages */
  constructor(guest: string) {
    this.guest = guest;
  }

  /** @throws CommandError (exit code 1) if this is other work than in an earlier process */
  add(build: string, instructions: number): void {
    for (const [other, { least, most }] of this.ranges) {
      for (const before of [least, most]) {
        if (Math.abs(instructions - before) <= (before * SAME_WORK_PERCENT) / 100) continue;
        throw new CommandError(
          `${this.guest} retired ${instructions} instructions in ${build}, but in an earlier process of ${other} ${before}`,
          { exitCode: 1 },
        );
      }
    }
    const range = this.ranges.get(build);
    if (range === undefined) {
      this.ranges.set(build, { least: instructions, most: instructions });
      return;
    }
    range.least = Math.min(range.least, instructions);
    range.most = Math.max(range.most, instructions);
  }

  /** What each build's processes did; undefined if all did the same. */
  spread(): string | undefined {
    const values = [...this.ranges.values()].flatMap(({ least, most }) => [least, most]);
    if (new Set(values).size < 2) return undefined;
    const each = [...this.ranges].map(([build, { least, most }]) =>
      least === most ? `${least} in ${build}` : `${least} to ${most} in ${build}`,
    );
    return `${this.guest} did not retire the same number of instructions in all processes: ${each.join(", ")}.`;
  }
}
