/** Accesses to a real device of the tree under test: from the host, and from a guest's load. */
import { Emulation, type Hardware } from "#machine";
import type { AccessSize } from "#memory";
import { GUEST_READ, MACHINE_SUBJECT } from "#results";
import type { Case, Loop } from "./dispatch-loops.ts";

const RAM_BYTES = 2 ** 20;
const RAM_START = 0x8000_0000;
/** Address of the scratch register of the 16550A on the `virt` board; reading it has no side effects. */
export const UART_SCRATCH = 0x1000_0007;
/** The registers of the ns16550 are one byte wide on this board. */
const UART_ACCESS: AccessSize = 1;

/** A byte of RAM far from the guest's code. */
export const RAM_BYTE = RAM_START + RAM_BYTES / 2;

/** Loads between two jumps, so that jumps are only one in 65 instructions. */
const UNROLLED = 64;
/** Enough for the optimising compiler to replace the first machine code of the interpreter. */
const WARM_UP_INSTRUCTIONS = 2_000_000;
/** Opcodes. */
const LOAD = 0x03;
const AUIPC = 0x17;
const LUI = 0x37;
const JAL = 0x6f;
/** Temporary registers of the RISC-V calling convention. */
const T0 = 5;
const T1 = 6;

export const GUEST_CASES = ["uart-host", "uart-guest", "ram-guest"] as const;
export type GuestCase = (typeof GUEST_CASES)[number];

export function guestCase(which: GuestCase, hardware: Hardware): Case {
  const workload = MACHINE_SUBJECT;
  switch (which) {
    case "uart-host": {
      const { memorySpace } = new Emulation({ hardware, ramBytes: RAM_BYTES }).board;
      return {
        workload,
        name: "read of the UART, from the host",
        role: "detail",
        description: "The scratch register of the board's own UART, through the board's own address space.",
        loop: (count) => {
          let sum = 0;
          for (let i = 0; i < count; i++) sum = (sum + memorySpace.read(UART_SCRATCH, UART_ACCESS)) | 0;
          return sum;
        },
      };
    }
    case "uart-guest":
      return {
        workload,
        name: GUEST_READ,
        role: "headline",
        description:
          "A guest's load from the UART: interpreter, address translation, dispatch, callback, and back.",
        loop: guestLoop(hardware, UART_SCRATCH),
      };
    case "ram-guest":
      return {
        workload,
        name: "read of RAM, from the guest",
        role: "control",
        description: "The same load from RAM, which reaches no device.",
        loop: guestLoop(hardware, RAM_BYTE),
      };
  }
}

/** A guest that loads a byte from `address` forever; each call lets it make `count` loads. */
function guestLoop(hardware: Hardware, address: number): Loop {
  const { emulation } = loadingGuest(hardware, address);
  const execute = (instructions: number) => {
    const end = emulation.run({ maxInstructions: emulation.instructions + instructions });
    if (end !== "instructions") throw new Error(`the loading guest ended by ${end}`);
    return emulation.instructions;
  };
  for (let i = 0; i < 100; i++) execute(WARM_UP_INSTRUCTIONS / 100);
  return (count) => execute(Math.round((count * (UNROLLED + 1)) / UNROLLED));
}

/** The machine of a guest loop, the register that it loads into, and the instructions of one cycle. */
export function loadingGuest(
  hardware: Hardware,
  address: number,
): { emulation: Emulation; register: number; cycle: number } {
  const emulation = new Emulation({ hardware, ramBytes: RAM_BYTES });
  emulation.board.memorySpace.writeBytes(RAM_START, loadForever(address));
  return { emulation, register: T1, cycle: UNROLLED + 1 };
}

/**
 * `lui t0, high` (or `auipc`, for RAM: `lui` extends the sign), `lbu t1, low(t0)` 64 times, `j back`.
 * Encodings: RISC-V Unprivileged ISA, chapter 2 (U-, I- and J-type formats) and the opcode map in chapter 34.
 */
function loadForever(address: number): Uint8Array {
  const low = address & 0xfff;
  if (low >= 0x800)
    throw new RangeError("a load's offset is signed: choose an address in a page's lower half");
  const inRam = address >= RAM_START;
  const high = address - low - (inRam ? RAM_START : 0);
  const upper = high | (T0 << 7) | (inRam ? AUIPC : LUI);
  const load = (low << 20) | (T0 << 15) | (4 << 12) | (T1 << 7) | LOAD;
  const words = [upper, ...Array<number>(UNROLLED).fill(load), jump(-4 * UNROLLED)];
  const bytes = new DataView(new ArrayBuffer(4 * words.length));
  words.forEach((word, i) => {
    bytes.setUint32(4 * i, word, true);
  });
  return new Uint8Array(bytes.buffer);
}

/** `jal x0, offset`: from the top, bits 20, 10 to 1, 11, and 19 to 12 of the offset. */
function jump(offset: number): number {
  const bits = (from: number, width: number) => (offset >> from) & ((1 << width) - 1);
  return (bits(20, 1) << 31) | (bits(1, 10) << 21) | (bits(11, 1) << 20) | (bits(12, 8) << 12) | JAL;
}
