import type { AddressSpace } from "#memory";
import { QomObject } from "#qom";
import type { CharDevice } from "./char.ts";
import type { DeviceModel } from "./device-model.ts";

/** Numbers in `mip`: supervisor and machine software, timer and external interrupts. */
export type InterruptNumber = 1 | 3 | 5 | 7 | 9 | 11;

/** A processor core's interrupt inputs, as a board drives them. */
export interface HartPort {
  /** Sets the level of one interrupt. */
  setInterrupt(cause: InterruptNumber, level: boolean): void;
}

export interface MachineOptions {
  /** Bytes of main memory, a multiple of 4 KiB. */
  readonly ramBytes: number;
  readonly hartCount: number;
  /** Names of the drives that keep the flash banks, by number; absent: the bank is empty at first. */
  readonly flashDrives?: readonly (string | undefined)[];
}

/** Where the boot ROM sends the harts, and what it tells the firmware. */
export interface BootTarget {
  /** Address of the first instruction outside of the boot ROM. */
  readonly start: number;
  /** Address of the next stage, for firmware that asks (OpenSBI's fw_dynamic); 0: none. */
  readonly kernelEntry: number;
  /** Address of the flattened device tree. */
  readonly deviceTree: number;
}

/** What a device tree says of this boot, rather than of the machine. */
export interface BootInformation {
  readonly commandLine?: string;
  /** Where the initial ram disk lies; `end` is exclusive. */
  readonly initrd?: { readonly start: number; readonly end: number };
  /** Seeds the bytes that the guest's random numbers start from. Equal seeds, equal runs; default 0. */
  readonly seed?: number;
}

/** What firmware in flash starts, as QEMU's fw_cfg passes it on. */
export interface FlashKernel {
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly commandLine?: string;
}

/** Base of all boards: the object at /machine, made by `DeviceModel.createMachine`. */
export abstract class Machine extends QomObject {
  static override readonly typeName: string = "machine";
  static override readonly instanceSize: number = 344;

  declare readonly model: DeviceModel;

  /** Makes, wires, and resets all devices; called once. @throws QomError when the options cannot be met. */
  abstract build(options: MachineOptions): void;

  /** All that answers to physical addresses, as a bus master sees it. */
  abstract readonly memorySpace: AddressSpace;
  /** The line of the first serial port. */
  abstract readonly serialLine: CharDevice;
  abstract readonly hartCount: number;

  /** What hart `index` addresses. @throws QomAbort when there is no such hart, as all that take an index. */
  abstract hartSpace(index: number): AddressSpace;

  /** Connects a processor core; it is told at once which interrupts are pending. */
  abstract connectHart(index: number, port: HartPort): void;

  /** Timer ticks, as the `time` register of the harts shows them; exact to 2^53. */
  abstract readTime(): number;

  /** Guest time, in nanoseconds, at which `readTime` will answer `ticks` more than it does now. */
  abstract timeAfter(ticks: number): number;

  /** Called when the guest, or a reset, has set what `readTime` answers. */
  onTimeSet: () => void = () => {};

  /** Where execution begins after a reset. */
  abstract readonly resetVector: number;

  /** Writes the boot ROM; once before the first instruction, and again after each reset if the guest could change it. */
  abstract writeBootRom(target: BootTarget): void;

  /** Where the device tree goes, for a tree of whatever size. */
  abstract readonly deviceTreeAddress: number;

  /** The flattened device tree. */
  abstract deviceTree(boot?: BootInformation): Uint8Array;

  /** Fills a flash bank, from its start on. @throws QomError when it does not fit. */
  abstract loadFlash(bank: number, content: Uint8Array): void;

  /** Address of flash bank 0 where a drive keeps it: firmware that is to be started; null: nothing is there. */
  abstract readonly flashStart: number | null;

  /** Gives firmware in flash what it is to load by itself; at most once. */
  abstract addFlashKernel(files: FlashKernel): void;

  /** Gives firmware and guest a file to find by its name. @throws QomError when the name is taken, or there is no room. */
  abstract addFirmwareFile(name: string, content: Uint8Array): void;

  /** Resets every device. Harts are reset by whoever runs them. */
  abstract reset(): void;
}
