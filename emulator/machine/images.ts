import { readFileSync, statSync } from "node:fs";
import { CommandError } from "#host";
import type { AddressSpace } from "#memory";
import type { BootInformation, Machine } from "#qdev";
import { QomError } from "#qom";
import { isElf, parseElf, type Segment } from "./elf.ts";

/** Files that a machine boots from. */
export interface BootFiles {
  /** Firmware, loaded at the start of RAM; absent: none. */
  readonly bios?: string;
  /** ELF files are loaded at their own addresses, anything else after the firmware, at the next multiple of 2 MiB. */
  readonly kernel?: string;
  readonly initrd?: string;
  /** Kernel command line, passed in the device tree. */
  readonly append?: string;
}

/** The range of a loaded image, to detect overlaps. */
interface Extent {
  readonly what: string;
  readonly start: number;
  /** First address after it. */
  readonly end: number;
}

const RAM_START = 0x8000_0000;
const KERNEL_ALIGNMENT = 2 * 2 ** 20;
/** Maximum distance from the kernel's entry point to the initrd. */
const INITRD_DISTANCE = 128 * 2 ** 20;
const PAGE = 4096;

/** Reads a file that the user named. @throws CommandError that names the option and the file. */
export function readInput(option: string, path: string): Uint8Array {
  try {
    if (!statSync(path).isFile())
      throw new CommandError(`${option} ${path}: not a file; give the path of one`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ERR_FS_FILE_TOO_LARGE")
      throw new CommandError(
        `${option} ${path}: has ${statSync(path).size} bytes, and images at most 2 GiB; give a smaller one, or a disk`,
      );
    const reason =
      code === "ENOENT" ? "no such file" : code === "EACCES" ? "no permission to read it" : String(error);
    throw new CommandError(`${option} ${path}: ${reason}; give the path of a readable file`);
  }
}

/** Loads files into a machine's memory and points its boot ROM at them. */
export class ImageLoader {
  private readonly machine: Machine;
  private readonly space: AddressSpace;
  private readonly ramEnd: number;
  private readonly ramOption: string;
  private readonly extents: Extent[] = [];
  /** What the user should know, though it does not stop the machine. */
  readonly warnings: string[] = [];

  constructor(machine: Machine, ramBytes: number, ramOption: string) {
    this.ramOption = ramOption;
    this.machine = machine;
    this.space = machine.memorySpace;
    this.ramEnd = RAM_START + ramBytes;
  }

  /** @throws CommandError when a file cannot be read, does not fit, or overlaps another. */
  load(files: BootFiles): void {
    const firmwareEnd =
      files.bios === undefined ? RAM_START : this.loadAt("--bios", files.bios, RAM_START).end;
    if (files.initrd !== undefined && files.kernel === undefined)
      throw new CommandError(`--initrd ${files.initrd}: there is no kernel to use it; give one, too`);
    const { flashStart } = this.machine;
    if (flashStart !== null && files.bios !== undefined) this.loadForFlash(files, flashStart);
    else this.loadForKernel(files, firmwareEnd, flashStart);
  }

  /** Firmware in RAM continues in flash, as in QEMU since 8.1; the firmware in flash loads the kernel itself. */
  private loadForFlash({ kernel, initrd, append }: BootFiles, flashStart: number): void {
    this.machine.addFlashKernel({
      ...(kernel === undefined ? {} : { kernel: readInput("--kernel", kernel) }),
      ...(initrd === undefined ? {} : { initrd: readInput("--initrd", initrd) }),
      ...(append === undefined ? {} : { commandLine: append }),
    });
    this.start(RAM_START, flashStart, append === undefined ? {} : { commandLine: append });
  }

  /** Starts in flash if there is any, else in the firmware in RAM, else in the kernel. */
  private loadForKernel(files: BootFiles, firmwareEnd: number, flashStart: number | null): void {
    const boot: { commandLine?: string; initrd?: NonNullable<BootInformation["initrd"]> } = {};
    if (files.append !== undefined) boot.commandLine = files.append;
    let kernelEntry = 0;
    if (files.kernel !== undefined) {
      const place = Math.ceil(firmwareEnd / KERNEL_ALIGNMENT) * KERNEL_ALIGNMENT;
      const kernel = this.loadAt("--kernel", files.kernel, place);
      kernelEntry = kernel.entry;
      if (files.initrd !== undefined) {
        const distance = Math.min((this.ramEnd - RAM_START) / 2, INITRD_DISTANCE);
        const start = Math.floor((kernelEntry + distance) / PAGE) * PAGE;
        boot.initrd = this.place("--initrd", files.initrd, [
          whole(readInput("--initrd", files.initrd), start),
        ]);
      }
    }
    const inRam = files.bios === undefined && kernelEntry !== 0 ? kernelEntry : RAM_START;
    this.start(flashStart ?? inRam, kernelEntry, boot);
  }

  private deviceTreeAddress(): number {
    try {
      return this.machine.deviceTreeAddress;
    } catch (error) {
      if (error instanceof QomError) throw new CommandError(`${this.ramOption}: ${error.message}`);
      throw error;
    }
  }

  private start(start: number, kernelEntry: number, boot: BootInformation): void {
    const deviceTree = this.deviceTreeAddress();
    this.place("device tree", "", [whole(this.machine.deviceTree(boot), deviceTree)]);
    this.machine.writeBootRom({ start, kernelEntry, deviceTree });
  }

  private loadAt(option: string, path: string, address: number): Extent & { readonly entry: number } {
    const file = readInput(option, path);
    if (file.length === 0)
      throw new CommandError(`${option} ${path}: the file is empty; give an image to load`);
    if (!isElf(file)) return { ...this.place(option, path, [whole(file, address)]), entry: address };
    const { entry, segments } = parseElf(path, file);
    return { ...this.place(option, path, this.withoutLow(`${option} ${path}`, segments)), entry };
  }

  /**
   * As in QEMU, what an ELF file has below RAM is left out if the rest is of use: linkers put the file's headers before the
   * first instruction.
   */
  private withoutLow(what: string, segments: readonly Segment[]): readonly Segment[] {
    const low = segments.filter(({ address, memoryBytes }) => address < RAM_START && memoryBytes > 0);
    const kept = segments.flatMap(({ address, content, memoryBytes }) => {
      const cut = Math.max(0, RAM_START - address);
      if (cut >= memoryBytes) return [];
      return [{ address: address + cut, content: content.subarray(cut), memoryBytes: memoryBytes - cut }];
    });
    if (low.length === 0 || kept.length === 0) return segments;
    const start = Math.min(...low.map(({ address }) => address));
    const end = Math.max(
      ...low.map(({ address, memoryBytes }) => Math.min(address + memoryBytes, RAM_START)),
    );
    this.warnings.push(
      `warning: ${what}: 0x${start.toString(16)} to 0x${end.toString(16)} is not RAM; what the file has for it is left out`,
    );
    return kept;
  }

  private place(option: string, path: string, segments: readonly Segment[]): Extent {
    const what = path === "" ? option : `${option} ${path}`;
    const start = Math.min(...segments.map((each) => each.address));
    const end = Math.max(...segments.map((each) => each.address + each.memoryBytes));
    if (start < RAM_START || end > this.ramEnd) {
      const range = `0x${start.toString(16)} to 0x${end.toString(16)}`;
      const ram = `0x${RAM_START.toString(16)} to 0x${this.ramEnd.toString(16)}`;
      const remedy = start < RAM_START ? "link it there" : "give more RAM with -m, or a smaller image";
      throw new CommandError(`${what}: occupies ${range}, RAM is ${ram}; ${remedy}`);
    }
    const clash = this.extents.find((each) => start < each.end && each.start < end);
    if (clash !== undefined) {
      throw new CommandError(
        `${what}: overlaps ${clash.what} at 0x${Math.max(start, clash.start).toString(16)}; link it elsewhere or leave one out`,
      );
    }
    for (const { address, content, memoryBytes } of segments) {
      this.space.writeBytes(address, content);
      this.zero(address + content.length, memoryBytes - content.length);
    }
    const extent = { what, start, end };
    this.extents.push(extent);
    return extent;
  }

  private zero(address: number, bytes: number): void {
    const zeroes = new Uint8Array(Math.min(bytes, 2 ** 20));
    for (let done = 0; done < bytes; done += zeroes.length) {
      this.space.writeBytes(address + done, zeroes.subarray(0, Math.min(zeroes.length, bytes - done)));
    }
  }
}

function whole(content: Uint8Array, address: number): Segment {
  return { address, content, memoryBytes: content.length };
}
