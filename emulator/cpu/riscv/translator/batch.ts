/** Generates the WebAssembly of a batch of units from copies of their pages, in whichever thread. */
import { ModuleBuilder } from "../wasm/index.ts";
import { analyseFlow } from "./flow.ts";
import { generateUnit, importLinks } from "./generate-unit.ts";
import { findRegion, type Region } from "./region.ts";

/** A page of code when its translation was requested. */
export interface CodePage {
  /** WebAssembly address of the page's records. */
  readonly records: number;
  /** The page's 2048 halfwords. */
  readonly halfwords: Uint16Array<ArrayBuffer>;
  /** By halfword: 1 if execution has reached it, as far as is known. */
  readonly reached: Uint8Array<ArrayBuffer>;
}

/** A place where a unit is to begin. */
export interface Place {
  readonly page: CodePage;
  /** In bytes, from the start of the page. */
  readonly offset: number;
}

/** What becomes one module. */
export interface BatchRequest {
  /** WebAssembly address of the hart's block. */
  readonly stateOffset: number;
  readonly places: readonly Place[];
}

/** A unit of a batch. */
export interface UnitCode {
  /** Index of its place in the request, which is also the name that the module exports it under. */
  readonly place: number;
  /** Page offset of each instruction, block by block. */
  readonly instructions: Uint16Array;
  /** For each block, the page offsets of its first byte and of the first one after it. */
  readonly extents: Uint16Array;
}

/** The result of a request. Places at which no unit can begin have none. */
export interface BatchCode {
  readonly code: Uint8Array<ArrayBuffer>;
  readonly units: readonly UnitCode[];
}

/** Translates what was requested; undefined if there is no unit at all. */
export function generateBatch({ stateOffset, places }: BatchRequest): BatchCode | undefined {
  const module = new ModuleBuilder();
  module.importMemory("guest", "memory", 1);
  const links = importLinks(module);
  const units: UnitCode[] = [];
  places.forEach(({ page: { records, halfwords, reached }, offset }, place) => {
    const region = findRegion(offset, {
      halfword: (at) => halfwords[at >>> 1] ?? 0,
      reached: (at) => reached[at >>> 1] === 1,
    });
    if (region === undefined) return;
    generateUnit(module, links, String(place), analyseFlow(region), { stateOffset, records });
    units.push({ place, ...layOut(region) });
  });
  return units.length === 0 ? undefined : { code: module.encode(), units };
}

function layOut({ blocks, instructions }: Region): Omit<UnitCode, "place"> {
  const offsets = new Uint16Array(instructions);
  const extents = new Uint16Array(2 * blocks.size);
  let index = 0;
  let block = 0;
  for (const { offset, instructions } of blocks.values()) {
    let end = offset;
    for (const placed of instructions) {
      offsets[index++] = placed.offset;
      end = placed.offset + placed.decoded.instruction.length;
    }
    extents[block++] = offset;
    extents[block++] = end;
  }
  return { instructions: offsets, extents };
}
