import { diffLines } from "diff";

/** A line that may differ between our machine and QEMU, and why. Any other difference is a fault. */
export type Difference = readonly [pattern: RegExp, reason: string];

/** Lines that only one of the texts has, prefixed with its name, without those that may differ. */
export function unexplained(ours: string, qemu: string, differences: readonly Difference[]): string[] {
  return diffLines(qemu, ours)
    .filter((part) => part.added || part.removed)
    .flatMap((part) =>
      part.value
        .split(/\r?\n/)
        .filter((line) => line !== "" && !differences.some(([pattern]) => pattern.test(line)))
        .map((line) => `${part.added ? "ours" : "QEMU"}: ${line}`),
    );
}
