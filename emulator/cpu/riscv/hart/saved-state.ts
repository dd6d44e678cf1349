/** The parts of a hart's block that a snapshot saves, by name. Everything else there is derived or a cache. */
import { CSR_SLOTS, csrWord, WORD } from "./layout.ts";
import type { HartState } from "./state.ts";

/** A name, the word where it starts, and how many doublewords it has. */
type SavedSlot = readonly [name: string, word: number, doublewords: number];

/** Registers that are added to the block must be added here, except control registers in slots, which are included. */
const SAVED_SLOTS: readonly SavedSlot[] = [
  ["x", WORD.registers, 32],
  ["pc", WORD.pc, 1],
  ["reservation", WORD.reservation, 1],
  ["reservationValue", WORD.reservation + 2, 1],
  ["pmpaddr", WORD.pmpaddr, 16],
  ["f", WORD.floatRegisters, 32],
  ["fflags and frm", WORD.fflags, 1],
  ["floatStatus", WORD.floatStatus, 1],
  ["rounding", WORD.rounding, 1],
  ...CSR_SLOTS.map((name): SavedSlot => [name, csrWord[name], 1]),
];

/** A hart between two instructions. Doublewords are hexadecimal: `0x8000000a00000000`. */
export interface SavedHart {
  readonly slots: Readonly<Record<string, readonly string[]>>;
  /** Instructions executed since reset, and those of them that ended in an exception. */
  readonly retired: number;
  readonly trapped: number;
  /** In WFI. */
  readonly sleeping: boolean;
}

export function saveSlots(state: HartState): SavedHart["slots"] {
  return Object.fromEntries(
    SAVED_SLOTS.map(([name, word, doublewords]) => [
      name,
      Array.from(
        { length: doublewords },
        (_, index) => `0x${state.getBigInt(word + 2 * index).toString(16)}`,
      ),
    ]),
  );
}

/** @param slots must have passed `slotsMismatch`. */
export function loadSlots(state: HartState, slots: SavedHart["slots"]): void {
  for (const [name, word] of SAVED_SLOTS) {
    for (const [index, text] of (slots[name] ?? []).entries())
      state.setBigInt(word + 2 * index, BigInt(text));
  }
}

/** Why these slots cannot be loaded; undefined if they can. */
export function slotsMismatch(slots: Readonly<Record<string, unknown>>): string | undefined {
  for (const [name, , doublewords] of SAVED_SLOTS) {
    const values = slots[name];
    if (values === undefined) return `lacks "${name}"`;
    if (!Array.isArray(values) || values.length !== doublewords || !values.every(isDoubleword))
      return `"${name}" is not ${doublewords} hexadecimal doublewords`;
  }
  const unknown = Object.keys(slots).find((name) => !SAVED_SLOTS.some(([known]) => known === name));
  return unknown === undefined ? undefined : `has "${unknown}", which is not known here`;
}

function isDoubleword(value: unknown): boolean {
  return typeof value === "string" && /^0x[0-9a-f]{1,16}$/.test(value);
}
