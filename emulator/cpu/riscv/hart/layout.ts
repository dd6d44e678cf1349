/**
 * Layout of a hart's block in the WebAssembly memory, in bytes from its start. Generated code and TypeScript both
 * access it directly, so that neither has to copy anything for the other.
 */

/** Entries of each translation buffer, which is direct-mapped by virtual page number. */
export const TLB_ENTRIES = 4096;
/** Tag (8 bytes), addend or record address (4), whether the entry is global (4). */
export const TLB_ENTRY_BYTES = 16;
const TLB_BYTES = TLB_ENTRIES * TLB_ENTRY_BYTES;

/** Size and alignment of a cache block, in bytes (Zicbom, Zicboz). */
export const CACHE_BLOCK_BYTES = 64;

/** Guest pages whose decoded instructions are kept. */
export const CODE_PAGES = 2048;
/** One record per halfword, and two more for execution that runs off the end of the page. */
export const RECORDS_PER_PAGE = 2048 + 2;
export const RECORD_BYTES = 8;
/** Offset from the first record of a page to its entries, one halfword for each of the guest's: see `UNIT_ENTRY`. */
export const ENTRIES_OFFSET = 16_448;
/** Not a power of two, so that the same offsets of many pages do not compete for the same cache sets. */
export const CODE_PAGE_BYTES = ENTRIES_OFFSET + 4096;

/**
 * The entry of a place that jumps arrive at is the number of arrivals or, from this value on, the element of the table
 * of units that continues from there.
 */
export const UNIT_ENTRY = 0x8000;

/** Slots of 8 bytes for the stored state of control and status registers. */
export const CSR_SLOTS = [
  "mstatus",
  "medeleg",
  "mideleg",
  "mie",
  "mipSoftware",
  "mipLines",
  "mtvec",
  "mcounteren",
  "menvcfg",
  "mcountinhibit",
  "mscratch",
  "mepc",
  "mcause",
  "mtval",
  "stvec",
  "scounteren",
  "senvcfg",
  "sscratch",
  "sepc",
  "scause",
  "stval",
  "stimecmp",
  "satp",
  "cycleOffset",
  "instretOffset",
  "privilege",
  "pmpcfgLow",
  "pmpcfgHigh",
] as const;
export type CsrSlot = (typeof CSR_SLOTS)[number];

const CSR_BASE = 0x200;
const PMPADDR_BASE = 0x400;

export const LAYOUT = {
  /** x0 (always zero) to x31, 8 bytes each. */
  registers: 0x000,
  /** Where writes to x0 go. Follows x31 so that the offset of every destination fits in a byte. */
  sink: 0x100,
  /** Virtual address of the next instruction. */
  pc: 0x108,
  /** Effective address of an access that generated code left to the host. */
  address: 0x110,
  /** Address of the latest load-reserved, or -1, and the value that it read. */
  reservation: 0x118,
  reservationValue: 0x120,
  /** Low bits of the tags that fetches, and loads and stores, currently match. */
  fetchMode: 0x128,
  dataMode: 0x130,
  /** Instructions that may still be executed before generated code returns (32 bits). */
  remaining: 0x138,
  /** WebAssembly address of the record of the instruction that generated code left to the host (32 bits). */
  record: 0x13c,
  /** WebAssembly address of the first record of the page that a start record is in (32 bits). */
  page: 0x140,
  /** Instructions that ended in an exception, since reset. */
  trapped: 0x148,
  csr: CSR_BASE,
  pmpaddr: PMPADDR_BASE,
  /** f0 to f31, 8 bytes each; single-precision values are NaN-boxed. */
  floatRegisters: 0x800,
  /** Accrued exceptions and dynamic rounding mode (32 bits each). */
  fflags: 0x900,
  frm: 0x904,
  /** The FS field of mstatus alone (32 bits): 0 off, 1 initial, 2 clean, 3 dirty. */
  floatStatus: 0x908,
  /** One byte for each value of an instruction's rm field: see `InstructionContext.rounding`. */
  rounding: 0x910,
  /** Whether cbo.zero may currently be executed (32 bits). */
  blockZeroing: 0x918,
  /** Guest time when `remaining` is 0, in nanoseconds of a clock whose ticks are the time counter; 0 if only the host knows. */
  timeAtLimit: 0x920,
  /** Guest time per instruction, and per tick of the time counter, in nanoseconds. */
  timePerInstruction: 0x928,
  timePerTick: 0x930,
  readTlb: 0x1000,
  writeTlb: 0x1000 + TLB_BYTES,
  /** Virtual page to decoded page. */
  jumpCache: 0x1000 + 2 * TLB_BYTES,
  /** A few records for an instruction that no decoded page can hold. */
  single: 0x1000 + 3 * TLB_BYTES,
  code: 0x1000 + 3 * TLB_BYTES + 0x1000,
} as const;

/** Size of the block: whole WebAssembly pages. */
export const STATE_BYTES = Math.ceil((LAYOUT.code + CODE_PAGES * CODE_PAGE_BYTES) / 65_536) * 65_536;

/** Index of a CSR's low word in an Int32Array over the block; the high word follows. */
export const csrWord = Object.fromEntries(
  CSR_SLOTS.map((name, index) => [name, (CSR_BASE + 8 * index) / 4]),
) as Record<CsrSlot, number>; // fromEntries forgets the key type

/** Indices of other things in that array. */
export const WORD = {
  registers: LAYOUT.registers / 4,
  pc: LAYOUT.pc / 4,
  address: LAYOUT.address / 4,
  reservation: LAYOUT.reservation / 4,
  fetchMode: LAYOUT.fetchMode / 4,
  dataMode: LAYOUT.dataMode / 4,
  remaining: LAYOUT.remaining / 4,
  record: LAYOUT.record / 4,
  page: LAYOUT.page / 4,
  trapped: LAYOUT.trapped / 4,
  pmpaddr: LAYOUT.pmpaddr / 4,
  floatRegisters: LAYOUT.floatRegisters / 4,
  fflags: LAYOUT.fflags / 4,
  frm: LAYOUT.frm / 4,
  floatStatus: LAYOUT.floatStatus / 4,
  rounding: LAYOUT.rounding / 4,
  blockZeroing: LAYOUT.blockZeroing / 4,
  timeAtLimit: LAYOUT.timeAtLimit / 4,
  timePerInstruction: LAYOUT.timePerInstruction / 4,
  timePerTick: LAYOUT.timePerTick / 4,
} as const;
