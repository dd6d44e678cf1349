import type { AddressSpace } from "#memory";
import { QomObject } from "#qom";
import type { CharDevice } from "./char.ts";
import type { DeviceModel } from "./device-model.ts";

/** Bit numbers in `mip`: supervisor and machine software, timer and external interrupts. */
export type InterruptNumber = 1 | 3 | 5 | 7 | 9 | 11;

/** The interrupt inputs of a hart, driven by the board. */
export interface HartPort {
  /** Sets the level of one interrupt. */
  setInterrupt(cause: InterruptNumber, level: boolean): void;
}

export interface MachineOptions {
  /** Size of main memory in bytes, a multiple of 4 KiB. */
  readonly ramBytes: number;
  readonly hartCount: number;
  /** Names of the drives that back the flash banks, by bank number; without a drive, the bank is empty at first. */
  readonly flashDrives?: readonly (string | undefined)[];
}

/** Where the boot ROM jumps, and what it passes to the firmware. */
export interface BootTarget {
  /** Address of the first instruction outside the boot ROM. */
  readonly start: number;
  /** Address of the next stage, for firmware that uses it (OpenSBI's fw_dynamic); 0 if there is none. */
  readonly kernelEntry: number;
  /** Address of the flattened device tree. */
  readonly deviceTree: number;
}

/** The parts of a device tree that describe this boot rather than the machine. */
export interface BootInformation {
  readonly commandLine?: string;
  /** Address range of the initial RAM disk; `end` is exclusive. */
  readonly initrd?: { readonly start: number; readonly end: number };
  /** Seed of the bytes that initialise the guest's random number generator. Equal seeds, equal runs; default 0. */
  readonly seed?: number;
}

/** What firmware in flash boots, passed to it through fw_cfg as in QEMU. */
export interface FlashKernel {
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly commandLine?: string;
}

/** Base of all boards: the object at /machine, created by `DeviceModel.createMachine`. */
export abstract class Machine extends QomObject {
  static override readonly typeName: string = "machine";
  static override readonly instanceSize: number = 344;

  declare readonly model: DeviceModel;

  /** Creates, wires and resets all devices; called once. @throws QomError when the options are invalid. */
  abstract build(options: MachineOptions): void;

  /** The physical address space, as a bus master sees it. */
  abstract readonly memorySpace: AddressSpace;
  /** The first serial port. */
  abstract readonly serialLine: CharDevice;
  abstract readonly hartCount: number;

  /** The address space of hart `index`. @throws QomAbort when there is no such hart. */
  abstract hartSpace(index: number): AddressSpace;

  /** Connects hart `index`, which is told at once which interrupts are pending. @throws as `hartSpace`. */
  abstract connectHart(index: number, port: HartPort): void;

  /** Timer ticks, as read from the harts' `time` register; exact up to 2^53. */
  abstract readTime(): number;

  /** Guest time, in nanoseconds, at which `readTime` will return `ticks` more than now. */
  abstract timeAfter(ticks: number): number;

  /** Called after the guest, or a reset, has changed the value of `readTime`. */
  onTimeSet: () => void = () => {};

  /** Address where execution begins after a reset. */
  abstract readonly resetVector: number;

  /** Writes the boot ROM: before the first instruction, and again after a reset if the guest could have changed it. */
  abstract writeBootRom(target: BootTarget): void;

  /** Load address of the device tree, whatever its size. */
  abstract readonly deviceTreeAddress: number;

  /** The flattened device tree. */
  abstract deviceTree(boot?: BootInformation): Uint8Array;

  /** Loads `content` at the start of a flash bank. @throws QomError when it does not fit. */
  abstract loadFlash(bank: number, content: Uint8Array): void;

  /** Address of flash bank 0, and of the firmware to boot, if a drive backs it; null if none does. */
  abstract readonly flashStart: number | null;

  /** Gives firmware in flash the files that it loads itself; at most once. */
  abstract addFlashKernel(files: FlashKernel): void;

  /** Adds a file that firmware and guest find by name. @throws QomError when the name is taken, or there is no room. */
  abstract addFirmwareFile(name: string, content: Uint8Array): void;

  /** Resets every device, but not the harts: whatever runs them does. */
  abstract reset(): void;
}
