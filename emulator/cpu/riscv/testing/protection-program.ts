/** Programs that test physical memory protection at random, for comparison with another implementation. */
import { program } from "./harness.ts";
import { Random } from "./random-program.ts";

/** Pages that entries divide. They are filled with c.ebreak, so that a permitted fetch causes a breakpoint. */
const FIELD = 0x80300000;
const FIELD_BYTES = 4 * 4096;
const LOAD = ["lb", "lh", "lw", "ld"];
const STORE = ["sb", "sh", "sw", "sd"];
/** Combinations of read, write and execute, except the reserved ones: writable but not readable. */
const RIGHTS = [0, 1, 3, 4, 5, 7];
const TOR = 1;
const NA4 = 2;
const NAPOT = 3;

const support = `
on_trap:
    csrr a6, mcause
    csrr a7, mtval
    csrw mepc, s10
    li t6, 3 << 11
    csrs mstatus, t6
    mret
`;

/** Logs the cause and the low bits of the value that a trap left, or zeros. */
const logOutcome = `
8:  li t0, 1 << 17
    csrc mstatus, t0
9:  li t0, 1 << 17
    csrc mstatus, t0
    sb a6, 0(s11)
    sb a7, 1(s11)
    addi s11, s11, 2`;

interface Entry {
  readonly config: number;
  /** Assembly for the value of pmpaddr. */
  readonly address: string;
}

function randomEntry(random: Random): Entry {
  const mode = random.pick([TOR, TOR, NA4, NAPOT, NAPOT]);
  const config = (mode << 3) | random.pick(RIGHTS);
  const near = 4096 * random.below(5) + random.pick([0, 0, 4, 8, 16, 64, 2048]);
  if (mode !== NAPOT) return { config, address: String((FIELD + near) / 4) };
  // Ones below the size bit; sizes of 8 bytes to the whole field.
  const size = 8 << random.below(12);
  const start = Math.min(near, FIELD_BYTES - 4) & -size;
  return { config, address: String((FIELD + start) / 4 + size / 8 - 1) };
}

/** One access, naturally aligned, near a place where an entry may start or end. */
function randomAccess(random: Random, privileges: readonly number[]): string {
  const privilege = random.pick(privileges);
  const size = random.below(4);
  const edge =
    4096 * random.below(5) + random.pick([0, 4, 8, 16, 64, 2048]) + random.pick([-16, -8, -4, 0, 4, 8]);
  const offset = Math.min(Math.max(edge, 0), FIELD_BYTES - 8) & -(1 << size);
  const kind = random.below(3);
  const enter = `
    li a6, 0
    li a7, 0
    la s10, 9f
    li t0, 3 << 11
    csrc mstatus, t0
    li s5, ${FIELD + (offset & (kind === 2 ? -2 : -1))}
    li t0, ${privilege} << 11`;
  if (kind === 2) {
    return `${enter}
    csrs mstatus, t0
    csrw mepc, s5
    mret
${logOutcome}`;
  }
  const instruction = kind === 0 ? `${LOAD[size]} t1, 0(s5)` : `${STORE[size]} t1, 0(s5)`;
  return `${enter}
    li t2, 1 << 17
    or t0, t0, t2
    ld t1, 0(s9)
    csrs mstatus, t0
    ${instruction}
${logOutcome}`;
}

const setEntry = (index: number, entry: Entry): string => `
    li t0, ${entry.address}
    csrw pmpaddr${index}, t0`;

/** Writes the configurations of all entries, eight per register. */
function setConfigs(entries: ReadonlyMap<number, Entry>): string {
  return [0, 8]
    .map((first) => {
      let value = 0n;
      for (let index = 0; index < 8; index++) {
        value |= BigInt(entries.get(first + index)?.config ?? 0) << BigInt(8 * index);
      }
      return `    li t0, 0x${value.toString(16)}\n    csrw pmpcfg${first / 4}, t0`;
    })
    .join("\n");
}

/** Accesses from all privileges under random entries, which are first unlocked and then locked one after another. */
export function protectionProgram(seed: number, rounds: number): string {
  const random = new Random(seed);
  const text: string[] = [];
  const fill = `
    la s9, pattern
    ld t0, 0(s9)
    li t1, ${FIELD}
    li t2, ${FIELD + FIELD_BYTES}
1:  sd t0, 0(t1)
    addi t1, t1, 8
    bne t1, t2, 1b
`;
  for (let round = 0; round < rounds; round++) {
    const entries = new Map<number, Entry>();
    for (let count = 1 + random.below(4); count > 0; count--)
      entries.set(random.below(15), randomEntry(random));
    if (random.below(2) === 0) entries.set(15, { config: (NAPOT << 3) | random.pick(RIGHTS), address: "-1" });
    text.push("    csrw pmpcfg0, zero", "    csrw pmpcfg2, zero");
    for (const [index, entry] of entries) text.push(setEntry(index, entry));
    text.push(setConfigs(entries));
    for (let access = 0; access < 8; access++) text.push(randomAccess(random, [0, 1, 3]));
  }
  text.push("    csrw pmpcfg0, zero", "    csrw pmpcfg2, zero");
  const locked = new Map<number, Entry>();
  for (const index of [3, 1, 8, 6, 7, 12]) {
    const entry = randomEntry(random);
    locked.set(index, { ...entry, config: entry.config | 0x80 });
    text.push(setEntry(index, entry), setConfigs(locked));
    for (let other = 0; other < 16; other++) {
      text.push(setEntry(other, { config: 0, address: String(FIELD / 4 + other) }));
      text.push(`    csrr t0, pmpaddr${other}`, "    sd t0, 0(s11)", "    addi s11, s11, 8");
    }
    text.push("    li t0, 0", "    csrw pmpcfg0, t0", "    csrw pmpcfg2, t0");
    for (const register of ["pmpcfg0", "pmpcfg2"]) {
      text.push(`    csrr t0, ${register}`, "    sd t0, 0(s11)", "    addi s11, s11, 8");
    }
    for (let access = 0; access < 10; access++) text.push(randomAccess(random, [3, 3, 1]));
  }
  return program(
    `${fill}${text.join("\n")}\n    j finish\n    .balign 8\npattern: .8byte 0x9002900290029002`,
    support,
  );
}
