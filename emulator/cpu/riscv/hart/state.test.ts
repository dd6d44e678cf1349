import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csrWord, LAYOUT, STATE_BYTES, TLB_ENTRIES } from "./layout.ts";
import { HartState } from "./state.ts";

/** A translation that the buffers hold, in the list that serves as reference. */
interface Known {
  readonly buffer: number;
  readonly page: number;
  readonly place: number;
  readonly global: boolean;
}

type Step =
  | { readonly kind: "fill" | "device" | "code"; readonly page: number; readonly global: boolean }
  | { readonly kind: "flush" | "leave" }
  | { readonly kind: "many"; readonly global: boolean }
  | { readonly kind: "page"; readonly page: number };

/** A few pages, some of which share an entry. */
const page = fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 2 })).map(([low, turn]) => low + turn * TLB_ENTRIES);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("fill" as const, "device" as const, "code" as const),
      page,
      global: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("flush" as const, "leave" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("page" as const), page }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("many" as const), global: fc.boolean() }) },
);

const PAGES = Array.from({ length: 6 }, (_, low) => [0, 1, 2].map((turn) => low + turn * TLB_ENTRIES)).flat();
/** More than a list of fills holds, in an entry that no page above shares. */
const MANY = 4097;

function newState(): HartState {
  const state = new HartState(new WebAssembly.Memory({ initial: STATE_BYTES / 65_536 }), 0);
  state.setPrivilege(1);
  state.resetTlb();
  return state;
}

const BUFFERS = { fill: LAYOUT.readTlb, device: LAYOUT.writeTlb, code: LAYOUT.jumpCache } as const;

/** Where a page is according to a buffer, or -1. */
function lookUp(state: HartState, buffer: number, page: number): number {
  const low = page << 12;
  if (buffer === BUFFERS.code) return state.decodedPage(low, 0);
  if (buffer === BUFFERS.device) return state.devicePage(buffer, low, 0);
  const index = (buffer + (page % TLB_ENTRIES) * 16) / 4;
  const found = state.words[index] === (low | 1) && state.words[index + 1] === 0;
  return found ? (state.words[index + 2] ?? 0) + low : -1;
}

describe("translation buffers", () => {
  it("hold the same as a list that is flushed by the same rules", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const state = newState();
        let known: Known[] = [];
        let next = 4096;
        for (const each of steps) {
          switch (each.kind) {
            case "flush":
              state.flushTlb();
              known = [];
              break;
            case "leave":
              state.leaveAddressSpace();
              known = known.filter(({ global }) => global);
              break;
            case "page":
              state.flushTlbPage(each.page << 12, 0);
              known = known.filter(({ page }) => page % TLB_ENTRIES !== each.page % TLB_ENTRIES);
              break;
            case "many":
              for (let i = 0; i < MANY; i++) state.fillTlb(LAYOUT.readTlb, 9 << 12, 0, 0, each.global);
              break;
            default: {
              const buffer = BUFFERS[each.kind];
              const low = each.page << 12;
              next += 4096;
              if (each.kind === "fill") state.fillTlb(buffer, low, 0, next, each.global);
              else if (each.kind === "device") state.fillDeviceTlb(buffer, low, 0, next, each.global);
              else state.fillJumpCache(low, 0, next, each.global);
              const shares = (other: Known) =>
                other.buffer === buffer && other.page % TLB_ENTRIES === each.page % TLB_ENTRIES;
              known = known.filter((other) => !shares(other));
              known.push({ buffer, page: each.page, place: next, global: each.global });
            }
          }
          for (const buffer of Object.values(BUFFERS)) {
            for (const page of PAGES) {
              const expected = known.find((other) => other.buffer === buffer && other.page === page);
              expect(lookUp(state, buffer, page)).toBe(expected?.place ?? -1);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("belong to the address space in satp", () => {
    const state = newState();
    state.set(csrWord.satp, -1, (8 << 28) | (0xbeef << 12) | 0xfff);
    expect(state.addressSpace).toBe(0xbeef);
  });
});
