/** Code at the reset vector. Sources: RISC-V ISA manual (encodings); OpenSBI docs/firmware/fw_dynamic.md. */
import type { BootTarget } from "#qdev";

/** Jumps to the start address with the hart id, and pointers to the device tree and the firmware information. */
const CODE = [
  0x0000_0297, // auipc t0, 0
  0x0282_8613, // addi  a2, t0, 40       a2 = the information below
  0xf140_2573, // csrr  a0, mhartid
  0x0202_b583, // ld    a1, 32(t0)       a1 = device tree
  0x0182_b283, // ld    t0, 24(t0)
  0x0002_8067, // jr    t0
];

const INFORMATION_MAGIC = 0x4942_534f; // "OSBI"
const INFORMATION_VERSION = 2;
const SUPERVISOR_MODE = 1;

/** The bytes of the boot ROM: the code, the two addresses that it loads, and OpenSBI's `fw_dynamic_info`. */
export function bootRom({ start, deviceTree, kernelEntry }: BootTarget): Uint8Array {
  const doublewords = [
    start,
    deviceTree,
    INFORMATION_MAGIC,
    INFORMATION_VERSION,
    kernelEntry,
    SUPERVISOR_MODE,
    0, // options
    0, // boot hart
  ];
  const bytes = new DataView(new ArrayBuffer(CODE.length * 4 + doublewords.length * 8));
  CODE.forEach((word, index) => {
    bytes.setUint32(index * 4, word, true);
  });
  doublewords.forEach((value, index) => {
    bytes.setBigUint64(CODE.length * 4 + index * 8, BigInt(value), true);
  });
  return new Uint8Array(bytes.buffer);
}
