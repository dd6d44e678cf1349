/** Everything that distinguishes two runs of one guest, as text. */
import { csrNames, disassemble, floatRegisterNames, type RiscvHart, registerNames } from "#cpu/riscv";
import { createSha256 } from "#host";
import { saveFields } from "#qdev";
import type { Emulation } from "../emulation.ts";
import { wordAt } from "../instruction-trace.ts";
import { occupiedPages, pageOf } from "./memory-image.ts";
import { devicesOf, memoriesOf } from "./parts.ts";

/** The state of a machine between two instructions, and its history: values by name. */
export type Fingerprint = Readonly<Record<string, string>>;

/**
 * Registers and control registers of every hart, the state of every device, and hashes of every memory, of the console
 * output, and of device accesses if those were traced. Equal machines have equal fingerprints, however their code is
 * executed and their regions are stored.
 */
export function fingerprintOf(emulation: Emulation): Fingerprint {
  const { model, console, trace, harts, processors } = emulation;
  const parts: Record<string, string> = {
    instructions: `${emulation.instructions}`,
    "guest time": `${emulation.now()} ns`,
    console: `${console.bytes} bytes, ${console.sha256()}`,
    "device accesses": trace === null ? "not traced" : `${trace.accesses}, ${trace.sha256()}`,
    turns: JSON.stringify(processors.save()),
  };
  for (const hart of harts) addHart(parts, emulation, hart);
  for (const [name, device] of devicesOf(model)) {
    if (device.vmState !== null) parts[name] = JSON.stringify(saveFields(device, device.vmState.fields));
  }
  for (const [name, bytes] of memoriesOf(model)) parts[`memory ${name}`] = hashOf(bytes);
  return parts;
}

/** Parts of a saved hart that are shown register by register. */
const SHOWN_SLOTS: ReadonlySet<string> = new Set(["x", "f", "pc", ...csrNames.values()]);

function addHart(parts: Record<string, string>, emulation: Emulation, hart: RiscvHart): void {
  const add = (name: string, value: bigint | string): void => {
    parts[`hart ${hart.hartId} ${name}`] = typeof value === "string" ? value : `0x${value.toString(16)}`;
  };
  const { slots, ...counts } = hart.save();
  add("pc", hart.pc);
  add("next instruction", disassemble(wordAt(emulation, hart, hart.pc), hart.pc).replace("\t", " "));
  for (const [index, name] of registerNames.entries()) add(name, hart.readRegister(index));
  for (const [index, name] of floatRegisterNames.entries()) add(name, hart.readFloatRegister(index));
  for (const [number, name] of csrNames) {
    const value = hart.readCsr(number);
    if (value !== undefined) add(name, value);
  }
  add("counts", JSON.stringify(counts));
  // State that is not a register: the reservation, pending interrupts by source.
  for (const [name, values] of Object.entries(slots)) if (!SHOWN_SLOTS.has(name)) add(name, values.join(" "));
}

/** SHA-256 of the pages that are not zero, with their numbers. */
function hashOf(bytes: Uint8Array): string {
  const hash = createSha256();
  for (const number of occupiedPages(bytes))
    hash.update(Uint32Array.of(number)).update(pageOf(bytes, number));
  return hash.digest("hex");
}
