import type { Handler } from "./records.ts";

/**
 * Pairs of adjacent instructions that one handler executes, saving a dispatch: for each first instruction, those that
 * may follow it, with lengths in bytes. They are the most frequent pairs in OpenSBI with U-Boot, and in compiled C that
 * sorts, hashes, multiplies matrices, and handles strings and lists: in these programs, 56 of 100 instructions start a
 * pair.
 *
 * The first instruction of a pair always continues with the next one, or leaves generated code before it is executed.
 */
const FOLLOWERS: Readonly<Record<string, string>> = {
  "lbu:4": "lbu:4 srliw:4 slliw:4 addi:2 add:4 beq:2",
  "slliw:4": "or:2 or:4 and:4 slliw:4 add:4",
  "add:2": "add:2 add:4 lw:2 bge:4 addi:2 ld:2 slliw:4 jal:4 addiw:2",
  "or:2": "addiw:2 slliw:4 and:4 addw:4 or:2 lui:2 or:4",
  "addi:4": "addi:2 add:2 or:2",
  "lw:2": "addi:4 lw:2 xor:2 srliw:4 add:2",
  "or:4": "slliw:4 or:2 or:4 addiw:2",
  "addi:2": "mulw:4 xor:2 bltu:4 blt:4 add:2 bne:4 jalr:2 sd:2 addiw:2 sb:4 bgeu:4 addi:2 addiw:4",
  "mulw:4": "addw:2",
  "addw:2": "bne:4",
  "addiw:2": "addi:2 bne:4 add:2 bltu:4 jal:4",
  "srliw:4": "slliw:4 addi:2 and:4 or:2 addi:4",
  "and:4": "srliw:4 or:2 or:4",
  "ld:4": "add:2",
  "sd:4": "sd:4 slli:4 addi:2",
  "slli:4": "addi:4 blt:4 xor:2",
  "add:4": "ld:4 bltu:4",
  "ld:2": "bgeu:4 ld:2 blt:4 beq:2",
  "xor:2": "andi:4 addiw:2 slli:4 srli:4",
  "slli:2": "add:2",
  "andi:4": "slli:2",
  "sd:2": "sd:2 addi:2",
  "addw:4": "bltu:4 addiw:4",
  "addiw:4": "addiw:4 addw:4",
  "sb:4": "bne:4",
  "srli:4": "xor:2",
  "lui:4": "srliw:4",
  "sltu:4": "addi:2",
};

/** Handlers for the pairs, made from those of their parts. Of relative jumps, only the near variant is used. */
export function pairsOf(singles: readonly Handler[]): Handler[] {
  const byKey = new Map<string, Handler>();
  for (const handler of singles) {
    const key = `${handler.instruction.name}:${handler.length}`;
    if (handler.near || !byKey.has(key)) byKey.set(key, handler);
  }
  const find = (key: string): Handler => {
    const handler = byKey.get(key);
    if (handler === undefined) throw new Error(`no handler for ${key}`);
    return handler;
  };
  return Object.entries(FOLLOWERS).flatMap(([first, followers]) =>
    followers.split(" ").map((second): Handler => ({ ...find(first), followedBy: find(second) })),
  );
}
