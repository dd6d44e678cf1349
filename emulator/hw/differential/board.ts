/** The `virt` board as its device tree describes it: the targets of random accesses, and the registers by name. */

export interface Window {
  readonly name: string;
  readonly base: number;
  readonly bytes: number;
  /** Offsets of registers, which random accesses prefer to the rest of the window. */
  readonly registers: readonly number[];
}

export const FINISHER = 0x10_0000;
export const FINISHER_BYTES = 0x1000;

export const RTC = {
  timeLow: 0x10_1000,
  timeHigh: 0x10_1004,
  alarmLow: 0x10_1008,
  alarmHigh: 0x10_100c,
  irqEnabled: 0x10_1010,
  clearAlarm: 0x10_1014,
  alarmStatus: 0x10_1018,
  clearInterrupt: 0x10_101c,
  source: 11,
} as const;

export const ACLINT = {
  msip: (hart: number) => 0x200_0000 + 4 * hart,
  mtimecmp: (hart: number) => 0x200_4000 + 8 * hart,
  mtime: 0x200_bff8,
} as const;

export const PLIC = {
  priority: (source: number) => 0xc00_0000 + 4 * source,
  pending: (word: number) => 0xc00_1000 + 4 * word,
  enable: (context: number, word: number) => 0xc00_2000 + 0x80 * context + 4 * word,
  threshold: (context: number) => 0xc20_0000 + 0x1000 * context,
  claim: (context: number) => 0xc20_0004 + 0x1000 * context,
  sources: 96,
} as const;

export const UART = {
  data: 0x1000_0000,
  ier: 0x1000_0001,
  iir: 0x1000_0002,
  fcr: 0x1000_0002,
  lcr: 0x1000_0003,
  mcr: 0x1000_0004,
  lsr: 0x1000_0005,
  msr: 0x1000_0006,
  scratch: 0x1000_0007,
  source: 10,
} as const;

/** Transports without a device, and the firmware configuration. */
export const VIRTIO = { transport: (index: number) => 0x1000_1000 + 0x1000 * index, count: 8 } as const;
export const FW_CFG = { data: 0x1010_0000, selector: 0x1010_0008, dma: 0x1010_0010 } as const;

export const FLASH = {
  bank: (bank: number) => 0x2000_0000 + 0x200_0000 * bank,
  blockBytes: 0x4_0000,
  blocks: 128,
} as const;

const every = (step: number, count: number, base = 0) =>
  Array.from({ length: count }, (_, i) => base + step * i);

/** All windows that exist on both sides, including the finisher, which random writes must not trigger. */
export const WINDOWS: readonly [Window, ...Window[]] = [
  { name: "boot ROM after the reset vector", base: 0x8000, bytes: 0x8000, registers: [] },
  { name: "finisher", base: FINISHER, bytes: FINISHER_BYTES, registers: [0] },
  { name: "RTC", base: RTC.timeLow, bytes: 0x24, registers: every(4, 9) },
  { name: "ACLINT software interrupts", base: 0x200_0000, bytes: 0x4000, registers: every(4, 4) },
  {
    name: "ACLINT timer",
    base: 0x200_4000,
    bytes: 0x8000,
    registers: [...every(4, 6), 0x7ff8, 0x7ffc],
  },
  {
    name: "PLIC",
    base: 0xc00_0000,
    bytes: 0x60_0000,
    registers: [
      ...every(4, 100),
      ...every(4, 5, 0x1000),
      ...every(4, 5, 0x2000),
      ...every(4, 5, 0x2080),
      ...[0x20_0000, 0x20_0004, 0x20_0008, 0x20_1000, 0x20_1004, 0x20_2000, 0x20_2004],
    ],
  },
  { name: "UART", base: UART.data, bytes: 8, registers: every(1, 8) },
  { name: "virtio transport", base: VIRTIO.transport(0), bytes: 0x200, registers: every(4, 64) },
  { name: "virtio transport 7", base: VIRTIO.transport(7), bytes: 0x200, registers: every(4, 64) },
  { name: "firmware configuration", base: FW_CFG.data, bytes: 0x18, registers: [0, 8, 16, 20] },
  { name: "flash bank 0", base: FLASH.bank(0), bytes: 0x200_0000, registers: every(4, 64) },
  { name: "flash bank 1", base: FLASH.bank(1), bytes: 0x200_0000, registers: every(4, 64) },
  { name: "RAM", base: 0x8010_0000, bytes: 0x1_0000, registers: [] },
];

/** Unassigned addresses near devices, on both sides. */
export const HOLES: readonly [Window, ...Window[]] = [
  { name: "below the boot ROM", base: 0, bytes: 0x1000, registers: [] },
  { name: "after the RTC", base: 0x10_1024, bytes: 0xfdc, registers: [0] },
  { name: "after the ACLINT", base: 0x200_c000, bytes: 0x4000, registers: [0] },
  { name: "after the PLIC", base: 0xc60_0000, bytes: 0x1000, registers: [0] },
  { name: "after the UART", base: 0x1000_0008, bytes: 0xf8, registers: [0] },
  { name: "after a virtio transport", base: VIRTIO.transport(0) + 0x200, bytes: 0xe00, registers: [0] },
  { name: "after the firmware configuration", base: FW_CFG.data + 0x18, bytes: 0xfe8, registers: [0] },
  { name: "after the flash", base: 0x2400_0000, bytes: 0x1000, registers: [0] },
];
