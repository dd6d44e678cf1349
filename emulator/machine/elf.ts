import { CommandError } from "#host";
/** A loadable segment of a program. */
export interface Segment {
  /** Physical address. */
  readonly address: number;
  readonly content: Uint8Array;
  /** Bytes in memory; those after the content are zero. */
  readonly memoryBytes: number;
}

export interface ElfProgram {
  readonly entry: number;
  readonly segments: readonly Segment[];
}

/** Offsets and values of the ELF64 format (System V ABI, chapters 4 and 5; RISC-V ELF psABI for the machine). */
const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const TYPE_EXECUTABLE = 2;
const TYPE_SHARED = 3;
const MACHINE_RISCV = 243;
const SEGMENT_LOAD = 1;

const MACHINE_NAMES: Readonly<Record<number, string>> = {
  3: "i386",
  8: "MIPS",
  20: "PowerPC",
  21: "PowerPC64",
  40: "ARM",
  62: "x86-64",
  183: "AArch64",
};

export function isElf(file: Uint8Array): boolean {
  return file[0] === 0x7f && file[1] === 0x45 && file[2] === 0x4c && file[3] === 0x46;
}

/** The loadable segments of a RISC-V program. @throws CommandError that names `path` when it is not one. */
export function parseElf(path: string, file: Uint8Array): ElfProgram {
  const wrong = (reason: string) => new CommandError(`${path}: ${reason}; give a RISC-V ELF64 executable`);
  if (!isElf(file)) throw wrong("not an ELF file");
  if (file.length < HEADER_BYTES)
    throw wrong(`truncated ELF header (${file.length} of ${HEADER_BYTES} bytes)`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file[4] !== CLASS_64) throw wrong("a 32-bit ELF file");
  if (file[5] !== LITTLE_ENDIAN) throw wrong("a big-endian ELF file");
  const machine = view.getUint16(18, true);
  if (machine !== MACHINE_RISCV)
    throw wrong(`an ELF file for ${MACHINE_NAMES[machine] ?? `machine ${machine}`}`);
  const type = view.getUint16(16, true);
  if (type !== TYPE_EXECUTABLE && type !== TYPE_SHARED) throw wrong("an ELF file that is not executable");
  const number64 = (at: number) => Number(view.getBigUint64(at, true));
  const headersAt = number64(32);
  const headerBytes = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  if (count > 0 && headerBytes < PROGRAM_HEADER_BYTES) throw wrong("program headers of the wrong size");
  if (headersAt + count * headerBytes > file.length)
    throw wrong("truncated: its program headers lie beyond its end");
  const segments: Segment[] = [];
  for (let index = 0; index < count; index++) {
    const at = headersAt + index * headerBytes;
    if (view.getUint32(at, true) !== SEGMENT_LOAD) continue;
    const [offset, address, fileBytes, memoryBytes] = [8, 24, 32, 40].map((field) =>
      number64(at + field),
    ) as [number, number, number, number];
    if (offset + fileBytes > file.length) throw wrong(`truncated: segment ${index} reaches beyond its end`);
    if (fileBytes > memoryBytes) throw wrong(`segment ${index} is larger in the file than in memory`);
    segments.push({ address, content: file.subarray(offset, offset + fileBytes), memoryBytes });
  }
  if (segments.length === 0) throw wrong("it has no loadable segment");
  return { entry: number64(24), segments };
}
