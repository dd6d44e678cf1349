/**
 * Zicbom and Zicboz (CMO specification 1.0). Memory has no caches here, so management has nothing to do, but privilege
 * and address are checked as if it had.
 */
import { formatsOf } from "./formats.ts";
import type { FullInstruction } from "./instruction.ts";

const management = formatsOf("Zicbom").cacheBlock;
const zeroing = formatsOf("Zicboz").cacheBlock;

export const cacheBlockInstructions: readonly FullInstruction[] = [
  management("cbo.inval", 0, (c) => c.host("cacheBlockInvalidate")),
  management("cbo.clean", 1, (c) => c.host("cacheBlockClean")),
  management("cbo.flush", 2, (c) => c.host("cacheBlockClean")),
  zeroing("cbo.zero", 4, (c) => c.zeroBlock()),
];
