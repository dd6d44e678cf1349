/** Accesses of a guest: every width over every mapped region, with values that repeat. */
import type { AccessSize, AddressSpace } from "#memory";
import { hex } from "./observe.ts";
import { errorText, type Stage } from "./stage.ts";

const SIZES: readonly AccessSize[] = [1, 2, 4, 8];
/** Limits, so that a board with hundreds of ranges takes a second, not minutes. */
const MOST_RANGES = 64;
/** Gaps between ranges are probed as well: where nothing is mapped, nothing may answer. */
const GAP_PROBES = 4;

/** Writes and reads all address spaces, and notes what was read. */
export function accessAll(stage: Stage): void {
  for (const space of [...stage.model.addressSpaces]) {
    const ranges = space.view.ranges.slice(0, MOST_RANGES);
    for (const { start, end } of ranges) {
      for (const offset of offsets(end - start, stage)) {
        for (const size of SIZES)
          if (offset + size <= end - start) access(stage, space, start + offset, size);
      }
    }
    for (const { end } of ranges.slice(0, GAP_PROBES)) if (end < 2 ** 52) access(stage, space, end, 4);
  }
}

function offsets(length: number, stage: Stage): number[] {
  const within = Math.min(length, 2 ** 40);
  const anywhere = stage.random.below(within);
  const candidates = [0, 1, 4, 8, Math.floor(within / 16) * 8, anywhere & ~3, length - 8, length - 1];
  return [...new Set(candidates)].filter((offset) => offset >= 0 && offset < length);
}

function access(stage: Stage, space: AddressSpace, address: number, size: AccessSize): void {
  const value = stage.random.below(2 ** 32);
  let line = `${space.name} ${hex(address)}, ${size}:`;
  try {
    space.write(address, size, value, stage.random.below(2 ** 32));
    line += ` ${hex(value)} written (${space.result}),`;
    const low = space.read(address, size);
    line += ` ${hex(low)}${size === 8 ? ` ${hex(space.high)}` : ""} read (${space.result})`;
  } catch (error) {
    line += ` ${errorText(error)}`;
  }
  stage.note(line);
}
