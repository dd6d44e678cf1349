/** Random programs made from the instruction table, for comparison with another implementation. */
import { encode } from "../instructions/decode.ts";
import {
  type ImmediateFormat,
  immediateUnit,
  isFloat,
  type RegisterOperand,
} from "../instructions/fields.ts";
import type { Extension, FullInstruction, Instruction, Operands } from "../instructions/instruction.ts";
import { expansionOf, instructionTable } from "../instructions/table.ts";
import { isRelative } from "../interpreter/records.ts";
import { program } from "./harness.ts";

/** A deterministic source of numbers below 2^32 (mulberry32). */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  below(bound: number): number {
    return this.next() % bound;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new Error("nothing to choose from");
    return choice;
  }

  /** A floating-point value: special numbers, few digits, exponents near each other and near the limits. */
  floatValue(): bigint {
    const isSingle = this.below(2) === 0;
    const [fractionBits, exponents] = isSingle ? [23n, 0xff] : [52n, 0x7ff];
    const bias = exponents >> 1;
    const exponent = this.pick([
      0,
      1,
      exponents,
      exponents - 1,
      this.below(exponents + 1),
      ...Array.from({ length: 8 }, () => bias - 32 + this.below(64)),
    ]);
    const random = (BigInt(this.next()) << 32n) | BigInt(this.next());
    const fraction = BigInt.asUintN(Number(fractionBits), random << BigInt(this.pick([0, 8, 20, 40, 52])));
    const magnitude = (BigInt(exponent) << fractionBits) | fraction;
    const sign = BigInt(this.below(2));
    if (!isSingle) return (sign << 63n) | magnitude;
    // A few are not boxed, and therefore NaNs.
    const box = this.below(16) === 0 ? 0n : 0xffffffffn;
    return (box << 32n) | (sign << 31n) | magnitude;
  }

  /** A register value: often an edge case of arithmetic. */
  value(): bigint {
    const edges = [
      0n,
      1n,
      -1n,
      1n << 63n,
      (1n << 63n) - 1n,
      1n << 31n,
      (1n << 31n) - 1n,
      -(1n << 31n),
      0xffffffffn,
    ];
    if (this.below(3) === 0) return BigInt.asUintN(64, this.pick(edges));
    const random = (BigInt(this.next()) << 32n) | BigInt(this.next());
    return BigInt.asUintN(64, BigInt.asIntN(64, random) >> BigInt(this.below(64)));
  }
}

/** Registers that hold addresses while memory is used: stack pointer and s0 for any access, s1 for atomics. */
const SP = 2;
const S0 = 8;
const S1 = 9;
const POINTERS: readonly number[] = [SP, S0, S1];

const fullOf = (instruction: Instruction): FullInstruction =>
  instruction.length === 2 ? expansionOf(instruction) : instruction;
const isAccess = (full: FullInstruction): boolean =>
  full.extension === "A" ||
  full.syntax === "rs2,imm(rs1)" ||
  (full.syntax === "rd,imm(rs1)" && full.name !== "jalr");
/** Extensions that depend on privilege, or that the QEMU of the tests lacks. */
const HOST_EXTENSIONS: ReadonlySet<Extension> = new Set([
  "Privileged",
  "Zicsr",
  "Svinval",
  "Zicbom",
  "Zicboz",
]);
const isHost = (full: FullInstruction): boolean =>
  HOST_EXTENSIONS.has(full.extension) || full.name === "ecall" || full.name === "ebreak";

/** jalr needs an address and is generated separately; QEMU 7.2 counts the zeros of all 64 bits for ctzw of zero. */
const BY_HAND = new Set(["jalr", "ctzw"]);
/** Everything that a block of plain code can contain. */
const candidates = instructionTable.filter(
  (instruction) => !isHost(fullOf(instruction)) && !BY_HAND.has(fullOf(instruction).name),
);
const arithmetic = candidates.filter((instruction) => !isAccess(fullOf(instruction)));

interface Piece {
  readonly instruction: Instruction;
  operands: Operands;
}

function randomRegister(
  random: Random,
  operand: RegisterOperand | undefined,
  excludedIntegers: readonly number[],
): number {
  if (operand === undefined) return 0;
  const excluded = isFloat(operand) ? [] : excludedIntegers;
  if ("fixed" in operand) return operand.fixed;
  for (;;) {
    const register = operand.width === 3 ? 8 + random.below(8) : random.below(32);
    if (!excluded.includes(register)) return register;
  }
}

function randomImmediate(random: Random, format: ImmediateFormat | undefined): number {
  if (format === undefined) return 0;
  const unit = immediateUnit(format);
  const { width } = format;
  const bits = random.next() & (width === 32 ? -1 : 2 ** width - 1) & -unit;
  const unused = 32 - width;
  return format.signed ? (bits << unused) >> unused : bits;
}

/** Operands that the encoding allows; the target of a relative jump is set later. */
export function randomOperands(
  random: Random,
  instruction: Instruction,
  pointers: readonly number[],
): Operands {
  const full = fullOf(instruction);
  for (;;) {
    const rd = randomRegister(random, instruction.rd, pointers);
    let rs1 = randomRegister(random, instruction.rs1, []);
    if (isAccess(full) && instruction.rs1 !== undefined && !("fixed" in instruction.rs1)) {
      rs1 = full.extension === "A" ? S1 : instruction.rs1.width === 3 ? S0 : random.pick([SP, S0]);
    }
    // Compressed arithmetic has one field for destination and first source.
    if (sameField(instruction)) rs1 = rd;
    const rs2 = randomRegister(random, instruction.rs2, []);
    const operands = {
      rd,
      rs1,
      rs2,
      rs3: randomRegister(random, instruction.rs3, []),
      rm: fullOf(instruction).rounds === true ? random.pick([0, 1, 2, 3, 4, 7]) : 0,
      immediate: isRelative(full) ? 0 : randomImmediate(random, instruction.immediate),
    };
    if (instruction.valid === undefined || instruction.valid(operands)) return operands;
  }
}

function sameField({ rd, rs1 }: Instruction): boolean {
  return rd !== undefined && rs1 !== undefined && "at" in rd && "at" in rs1 && rd.at === rs1.at;
}

/** Whether the destination is implied and a pointer: such an instruction would ruin a block that uses memory. */
function ruinsPointers({ rd }: Instruction): boolean {
  return rd !== undefined && "fixed" in rd && POINTERS.includes(rd.fixed);
}

/** Straight-line code with forward jumps inside. */
function randomBlock(random: Random, length: number, choices: readonly Instruction[]): string[] {
  const usesMemory = choices !== arithmetic;
  const pointers = usesMemory ? POINTERS : [];
  const pieces: Piece[] = Array.from({ length }, () => {
    const instruction = random.pick(choices);
    return { instruction, operands: randomOperands(random, instruction, pointers) };
  });
  // Jumps go a few instructions ahead, at most to the end.
  const lines = pieces.map(({ instruction, operands }, index) => {
    let { immediate } = operands;
    if (isRelative(fullOf(instruction))) {
      const skipped = pieces.slice(index, index + 1 + random.below(4));
      immediate = skipped.reduce((bytes, piece) => bytes + piece.instruction.length, 0);
    }
    return wordLine(instruction.name, { ...operands, immediate });
  });
  if (random.below(4) === 0) lines.push(...indirectJump(random, pointers));
  return lines;
}

function wordLine(name: string, operands: Partial<Operands>): string {
  const word = encode(name, operands);
  return (word & 3) === 3
    ? `.4byte 0x${word.toString(16)} # ${name}`
    : `.2byte 0x${word.toString(16)} # ${name}`;
}

/** auipc x, 0; jalr rd, 12(x), over an instruction that must not be executed. */
function indirectJump(random: Random, pointers: readonly number[]): string[] {
  const base = randomRegister(random, { at: 7, width: 5 }, [0, ...pointers]);
  const rd = randomRegister(random, { at: 7, width: 5 }, pointers);
  return [
    wordLine("auipc", { rd: base }),
    wordLine("jalr", { rd, rs1: base, immediate: 12 + random.below(2) }),
    wordLine("ebreak", {}),
  ];
}

const SCRATCH_BYTES = 8192;
/** Number of values that a block logs: x1 to x31, f0 to f31, fcsr. */
export const VALUES_PER_BLOCK = 64;

const enableFloat = `
    li t0, 1 << 13
    csrs mstatus, t0`;

/** Where a random program runs: machine mode, or supervisor mode under one of the translations. */
export type RandomMode = "machine" | "sv39" | "sv48" | "sv57";

const TRANSLATIONS = {
  sv39: { mode: 8, root: "root" },
  sv48: { mode: 9, root: "root48" },
  sv57: { mode: 10, root: "root57" },
} as const;

/** Continues in supervisor mode under a translation, with everything permitted by memory protection. */
const enterPaged = ({ mode, root }: { mode: number; root: string }): string => `
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    la t0, root
    srli t0, t0, 2
    ori t0, t0, 1
    la t1, root48
    sd t0, 0(t1)
    srli t1, t1, 2
    ori t1, t1, 1
    la t0, root57
    sd t1, 0(t0)
    la t0, ${root}
    srli t0, t0, 12
    li t1, ${mode}
    slli t1, t1, 60
    or t0, t0, t1
    csrw satp, t0
    sfence.vma
    li t0, (1 << 11) | (1 << 13)
    csrw mstatus, t0
    la t0, 1f
    csrw mepc, t0
    mret
1:`;

/** Name of the register whose value has this index in a block's log. */
export function loggedName(index: number): string {
  if (index === VALUES_PER_BLOCK - 1) return "fcsr";
  return index < 31 ? `x${index + 1}` : `f${index - 31}`;
}

/**
 * A program of `blocks` random blocks. Each loads all registers with random values, runs, and logs all registers; at
 * the end, the memory that the blocks share is logged, too. Translations are identity mappings.
 */
export function randomProgram(seed: number, blocks: number, length: number, mode: RandomMode): string {
  const random = new Random(seed);
  // A store-conditional of another width than its load-reserved may succeed or fail: a program has only one width.
  const excluded = seed % 2 === 0 ? ["lr.w", "sc.w"] : ["lr.d", "sc.d"];
  const withMemory = candidates.filter((choice) => !ruinsPointers(choice) && !excluded.includes(choice.name));
  const scratch = mode === "machine" ? "mscratch" : "sscratch";
  const text: string[] = mode === "machine" ? [enableFloat] : [enterPaged(TRANSLATIONS[mode])];
  const data: string[] = [];
  for (let block = 0; block < blocks; block++) {
    const usesMemory = random.below(2) === 0;
    const values = Array.from({ length: 31 }, () => `0x${random.value().toString(16)}`);
    if (usesMemory) {
      values[SP - 1] = `scratch + ${2048 + random.below(2048)}`;
      values[S0 - 1] = `scratch + ${2048 + random.below(2048)}`;
      values[S1 - 1] = `scratch + ${8 * random.below(512)}`;
    }
    const floats = Array.from({ length: 32 }, () => `0x${random.floatValue().toString(16)}`);
    data.push(`values_${block}: .8byte ${values.join(", ")}`, `.8byte ${floats.join(", ")}`);
    text.push(
      `csrw ${scratch}, s11`,
      `la x31, values_${block}`,
      // Any rounding mode, the inexact flag often raised already.
      `li x1, ${(random.below(2) === 0 ? 0 : random.below(5) << 5) | random.pick([0, 1, 1, 0x1f])}`,
      "csrw fcsr, x1",
      ...Array.from({ length: 32 }, (_, index) => `fld f${index}, ${8 * (31 + index)}(x31)`),
      ...Array.from({ length: 30 }, (_, index) => `ld x${index + 1}, ${8 * index}(x31)`),
      "ld x31, 240(x31)",
      ...randomBlock(random, length, usesMemory ? withMemory : arithmetic),
      // Exchanges s11 with the scratch register, which holds the log pointer.
      `csrrw s11, ${scratch}, s11`,
      ...Array.from({ length: 31 }, (_, index) => index + 1)
        .filter((register) => register !== 27)
        .map((register) => `sd x${register}, ${8 * (register - 1)}(s11)`),
      `csrr x1, ${scratch}`,
      `sd x1, ${8 * 26}(s11)`,
      ...Array.from({ length: 32 }, (_, register) => `fsd f${register}, ${8 * (31 + register)}(s11)`),
      "csrr x1, fcsr",
      `sd x1, ${8 * 63}(s11)`,
      `addi s11, s11, 8 * ${VALUES_PER_BLOCK}`,
    );
  }
  const copyScratch = `
    la t0, scratch
    li t1, ${SCRATCH_BYTES}
1:  ld t2, 0(t0)
    sd t2, 0(s11)
    addi t0, t0, 8
    addi s11, s11, 8
    addi t1, t1, -8
    bnez t1, 1b`;
  const support = `
on_trap: # no block traps: say so where the results should be
    la s11, log_start
    li t0, -1
    sd t0, 0(s11)
    csrr t0, mcause
    sd t0, 8(s11)
    csrr t0, mepc
    sd t0, 16(s11)
    addi s11, s11, 24
    j finish
    .balign 4096
root: .8byte 0xcf, 0xcf | (1 << 28), 0xcf | (2 << 28), 0xcf | (3 << 28)
    .balign 4096
root48: .zero 4096
root57: .zero 4096
scratch: .zero ${SCRATCH_BYTES}
${data.join("\n")}`;
  return program(`${text.join("\n")}\n${copyScratch}`, support);
}
