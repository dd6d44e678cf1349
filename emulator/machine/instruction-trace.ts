import { disassemble, type RiscvHart, registerNames } from "#cpu/riscv";
import type { Emulation } from "./emulation.ts";

const PRIVILEGES = ["U", "S", "?", "M"];
const REGISTERS = 32;

/**
 * Executes one instruction at a time and prints a line for each: hart, privilege, address, word, disassembly, and the
 * registers that it changed.
 *
 *     0 M 0000000000001000: 00000297  auipc   t0,0x0                    t0=0x1000
 *
 * An exception that an instruction raises, and an interrupt taken before one, have lines of their own.
 */
export class InstructionTrace {
  private readonly emulation: Emulation;
  private readonly line: (text: string) => void;
  private readonly before = new BigUint64Array(REGISTERS);

  constructor(emulation: Emulation, line: (text: string) => void) {
    this.emulation = emulation;
    this.line = line;
  }

  /** Runs `hart` in place of its own `run`. */
  run(hart: RiscvHart, maxInstructions: number): void {
    const end = hart.retired + maxInstructions;
    while (hart.retired < end) {
      const pc = hart.pc;
      if (hart.run(0) !== "budget") return; // takes a pending interrupt, or finds a reason to stop
      if (hart.pc !== pc) this.line(`${hart.hartId} interrupt at ${address(pc)}`);
      if (!this.traceOne(hart)) return;
    }
  }

  /** False if the hart did not execute an instruction. */
  private traceOne(hart: RiscvHart): boolean {
    const { before } = this;
    const { pc, privilege, retired, exceptions } = hart;
    for (let index = 0; index < REGISTERS; index++) before[index] = hart.readRegister(index);
    const word = wordAt(this.emulation, hart, pc);
    const exit = hart.run(1);
    if (hart.retired === retired) return false;
    const changes: string[] = [];
    for (let index = 1; index < REGISTERS; index++) {
      const value = hart.readRegister(index);
      if (value !== before[index]) changes.push(`${registerNames[index]}=0x${value.toString(16)}`);
    }
    const [name = "", operands = ""] = disassemble(word, pc).split("\t");
    const code = (word & 3) === 3 ? (word >>> 0).toString(16).padStart(8, "0") : `    ${hex16(word)}`;
    const text = `${name.padEnd(10)} ${operands.padEnd(24)} ${changes.join(" ")}`;
    this.line(`${hart.hartId} ${PRIVILEGES[privilege]} ${address(pc)}: ${code}  ${text.trimEnd()}`);
    if (hart.exceptions !== exceptions) this.line(`${hart.hartId} exception, goes on at ${address(hart.pc)}`);
    return exit === "budget";
  }
}

/** The instruction word at `pc`, or 0 if it cannot be read. The guest cannot notice the access. */
export function wordAt(emulation: Emulation, hart: RiscvHart, pc: bigint): number {
  const low = halfwordAt(emulation, hart, pc);
  return (low & 3) === 3 ? low | (halfwordAt(emulation, hart, pc + 2n) << 16) : low;
}

function halfwordAt({ board }: Emulation, hart: RiscvHart, at: bigint): number {
  const physical = hart.debug.translateFetch(at);
  return physical < 0 ? 0 : board.memorySpace.read(physical, 2);
}

function address(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}

function hex16(word: number): string {
  return (word & 0xffff).toString(16).padStart(4, "0");
}
