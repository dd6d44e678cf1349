/** Addresses and interrupt numbers of the `virt` board, as in QEMU 7.2. */

export interface Window {
  readonly base: number;
  readonly size: number;
}

export const VIRT_MAP = {
  bootRom: { base: 0x1000, size: 0xf000 },
  test: { base: 0x10_0000, size: 0x1000 },
  rtc: { base: 0x10_1000, size: 0x1000 },
  /** Software interrupts in the first 16 KiB, timers in the next 32 KiB. */
  clint: { base: 0x200_0000, size: 0x1_0000 },
  plic: { base: 0xc00_0000, size: 0x60_0000 },
  uart: { base: 0x1000_0000, size: 0x100 },
  /** The first virtio transport; each has a page. */
  virtio: { base: 0x1000_1000, size: 0x1000 },
  fwCfg: { base: 0x1010_0000, size: 0x18 },
  /** Two banks of half the size each. */
  flash: { base: 0x2000_0000, size: 0x400_0000 },
  ram: { base: 0x8000_0000, size: 0 },
} as const satisfies Record<string, Window>;

/** Offset of the timers in `clint`. */
export const MTIMER_OFFSET = 0x4000;

/** Input numbers of the interrupt controller. */
export const VIRT_IRQ = { virtio: 1, uart: 10, rtc: 11 } as const;

/** Number of transports, at consecutive addresses and interrupts. */
export const VIRT_VIRTIO_TRANSPORTS = 8;

export const VIRT_MAX_HARTS = 8;

/** Names of the flash banks, by number. */
export const FLASH_BANKS = ["virt.flash0", "virt.flash1"];
/** Timer ticks per second. */
export const VIRT_TIMEBASE = 10_000_000;
/** Clock of the UART in the device tree, used only by drivers that set the speed. */
export const VIRT_UART_CLOCK = 3_686_400;
/** Bits per second for a divisor of 1, as the UART itself computes them. */
export const VIRT_UART_BAUD_BASE = 399_193;
export const VIRT_PLIC_SOURCES = 96;
