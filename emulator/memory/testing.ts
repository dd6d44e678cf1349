/** Helpers shared by the tests of the memory core. */

import {
  AddressSpace,
  MemoryModel,
  type MemoryModelOptions,
  MemoryRegion,
  type MemoryRegionOps,
} from "#memory";
import { QomObject } from "#qom";

/** Any order of release must do, so tests use a shuffled one. */
export const RELEASE_ORDER = 20_261_130;

/** A model, and an address space "memory" with a root container of 2^64 bytes. */
export function testMemory(options: MemoryModelOptions = {}): {
  model: MemoryModel;
  root: MemoryRegion;
  space: AddressSpace;
} {
  const model = new MemoryModel({ releaseOrder: RELEASE_ORDER, ...options });
  const root = MemoryRegion.new(model.noOwner, "root", 2 ** 64);
  return { model, root, space: new AddressSpace(model, root, "memory") };
}

/** An owner of regions that is not a device. */
export class Owner extends QomObject {
  static override readonly typeName: string = "test-owner";
  declare readonly model: MemoryModel;
}

/** An owner with a region embedded in it. */
export class EmbeddingOwner extends QomObject {
  static override readonly typeName: string = "test-embedding-owner";
  declare readonly model: MemoryModel;
  readonly region = this.embed(MemoryRegion);
}

/** One call of a callback. */
export interface Call {
  readonly kind: "read" | "write";
  readonly offset: number;
  readonly size: number;
  readonly value?: number;
}

/** Ops that record each call and return the result of `answer` on reads; limits and endianness as given. */
export function recordingOps(
  calls: Call[],
  limits: Partial<MemoryRegionOps<unknown>> = {},
  answer: (offset: number, size: number) => number = () => 0,
): MemoryRegionOps<unknown> {
  return {
    read: (_, offset, size) => {
      calls.push({ kind: "read", offset, size });
      return answer(offset, size);
    },
    write: (_, offset, value, size) => {
      calls.push({ kind: "write", offset, size, value });
    },
    endianness: "little",
    ...limits,
  };
}
