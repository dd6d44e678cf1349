import { expect, test } from "vitest";
import { Random, randomOperands } from "../testing/random-program.ts";
import { AS, disassembledByObjdump, missingTools, OBJCOPY, OBJDUMP } from "../testing/toolchain.ts";
import { decode, encode } from "./decode.ts";
import { csrNames, disassemble } from "./disassemble.ts";
import type { Instruction } from "./instruction.ts";
import { fullInstructions, instructionTable } from "./table.ts";

/** Words of an instruction with random operands. */
function randomWords(instruction: Instruction, count: number): number[] {
  const random = new Random(instruction.match);
  return Array.from({ length: count }, () =>
    encode(instruction.name, randomOperands(random, instruction, [])),
  );
}

test.for(instructionTable.map((instruction) => [instruction.name, instruction] as const))(
  "%s survives encoding and decoding",
  ([name, instruction]) => {
    for (const word of randomWords(instruction, 50)) {
      const decoded = decode(word);
      expect(decoded?.instruction.name).toBe(name);
      if (decoded === undefined) continue;
      expect(encode(name, decoded)).toBe(word);
    }
  },
);

const isExact = (instruction: Instruction): boolean => instruction.length === 4 && instruction.exact === true;

test("no word is two full instructions, unless one is a special case that comes before the general one", () => {
  const specialCases: string[] = [];
  for (const [index, one] of fullInstructions.entries()) {
    for (const other of fullInstructions.slice(index + 1)) {
      const common = one.mask & other.mask;
      if (one.mask !== other.mask && common === other.mask) {
        // All words of `one` may be words of `other`: the first counts.
        if ((one.match & common) >>> 0 === other.match) specialCases.push(`${one.name} of ${other.name}`);
        continue;
      }
      expect((one.match & common) === (other.match & common), `${one.name} and ${other.name}`).toBe(false);
    }
  }
  expect(specialCases).toEqual(["pause of fence"]);
});

test("operands that cannot be encoded are refused", () => {
  expect(() => encode("addi", { rd: 1, rs1: 1, immediate: 2048 })).toThrow(RangeError);
  expect(() => encode("jal", { rd: 1, immediate: 3 })).toThrow(RangeError);
  expect(() => encode("c.lw", { rd: 1, rs1: 8, immediate: 4 })).toThrow(RangeError);
  expect(() => encode("c.addi16sp", { immediate: 0 })).toThrow(/reserved/);
  expect(() => encode("nonsense")).toThrow(/nonsense/);
});

test("reserved encodings are illegal", () => {
  // Zero, c.addi4spn of nothing, c.lui of nothing, c.addiw x0, c.lwsp x0, c.jr x0, quadrant 0 funct3 4.
  // And rounding modes 5 and 6, of fadd.d and fcvt.d.w.
  for (const word of [
    0x0000, 0x0004, 0x6081, 0x2005, 0x4002, 0x8002, 0x8000, 0xffffffff, 0x02005053, 0x02006053, 0xd2005053,
  ]) {
    expect(decode(word), word.toString(16)).toBeUndefined();
  }
});

test.skipIf(missingTools(AS, OBJCOPY, OBJDUMP).length > 0)(
  "the disassembler prints what objdump prints",
  () => {
    // Fences, which have reserved fields, and control registers, which objdump knows by name, are listed explicitly.
    // objdump does not know exact conversions with a rounding mode other than the first.
    const words = instructionTable
      .filter(({ extension, name }) => extension !== "Zicsr" && name !== "fence" && name !== "fence.i")
      .flatMap((instruction) =>
        randomWords(instruction, 8).map((word) => (isExact(instruction) ? word & ~0x7000 : word)),
      )
      .concat([
        encode("fence", { immediate: 0x0ff }),
        encode("fence", { immediate: 0x021 }),
        encode("fence.i"),
        ...[...csrNames.keys()].map((csr) => encode("csrrs", { rd: 10, rs1: 11, immediate: csr })),
        ...["csrrw", "csrrc", "csrrwi", "csrrsi", "csrrci"].map((name) =>
          encode(name, { rd: 1, rs1: 9, immediate: 0x300 }),
        ),
      ]);
    const bytes = words.flatMap((word) =>
      (word & 3) === 3
        ? [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24]
        : [word & 0xff, (word >>> 8) & 0xff],
    );
    const output = disassembledByObjdump(Uint8Array.from(bytes));
    const theirs = [...output.matchAll(/^ *[0-9a-f]+:\t[0-9a-f ]+\t(.*)$/gm)].map(([, text = ""]) =>
      // Removes comments, and the symbol that an address is resolved to.
      text.replace(/\s+(#|<).*$/, "").replace(/\t+$/, ""),
    );
    let pc = 0x80000000n;
    const ours = words.map((word) => {
      const text = disassemble(word, pc);
      pc += (word & 3) === 3 ? 4n : 2n;
      return text;
    });
    expect(ours).toEqual(theirs);
  },
);
