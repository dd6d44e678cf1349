/** The independent tools that tests compare with. If one is missing, tests are skipped with a message. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const GCC = "riscv64-unknown-elf-gcc";
export const AS = "riscv64-unknown-elf-as";
export const OBJCOPY = "riscv64-unknown-elf-objcopy";
export const OBJDUMP = "riscv64-unknown-elf-objdump";
export const QEMU = "qemu-system-riscv64";

/** Names of the given tools that cannot be run; prints a message for each. */
export function missingTools(...tools: string[]): string[] {
  const missing = tools.filter((tool) => spawnSync(tool, ["--version"]).status !== 0);
  for (const tool of missing) console.log(`skipped: ${tool} is not installed`);
  return missing;
}

export const assemblerTools = [GCC, OBJCOPY];

/** Calls `use` with a directory that is removed afterwards. */
export function withDirectory<T>(use: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "regionlab-cpu-"));
  try {
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Assembles a program, preprocessor included, to a flat image for the start of RAM. */
export function assemble(source: string): Uint8Array {
  return withDirectory((directory) => {
    const path = (name: string): string => join(directory, name);
    writeFileSync(path("program.S"), source);
    execFileSync(GCC, [
      "-nostdlib",
      "-march=rv64imafdc_zicsr_zifencei_zba_zbb_zbc_zbs",
      "-mabi=lp64",
      "-Wl,-Ttext=0x80000000,--no-relax,-N,--no-warn-rwx-segments",
      "-o",
      path("program.elf"),
      path("program.S"),
    ]);
    execFileSync(OBJCOPY, ["-O", "binary", path("program.elf"), path("program.bin")]);
    return new Uint8Array(readFileSync(path("program.bin")));
  });
}

/** objdump knows an extension's instructions only in a file whose attributes name it. */
const OBJDUMP_ISA = "rv64gc_zicbom_zicboz_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_svinval";

/** What objdump prints for code at the start of RAM, without aliases. */
export function disassembledByObjdump(code: Uint8Array): string {
  return withDirectory((directory) => {
    const path = (name: string): string => join(directory, name);
    writeFileSync(path("empty.s"), ".text\n");
    writeFileSync(path("code.bin"), code);
    execFileSync(AS, [`-march=${OBJDUMP_ISA}`, "-o", path("code.o"), path("empty.s")]);
    execFileSync(OBJCOPY, [`--update-section=.text=${path("code.bin")}`, path("code.o")]);
    return execFileSync(OBJDUMP, ["-d", "-M", "no-aliases", "--adjust-vma=0x80000000", path("code.o")], {
      encoding: "utf8",
    });
  });
}

/** A QEMU processor with no extensions but ours. It lacks Zicbom, Zicboz and Svadu, which came later. */
const QEMU_CPU = "rv64,h=off,svinval=on";

/** Runs an image in QEMU until it powers off, and returns what it printed. */
export function runInQemu(image: Uint8Array): Uint8Array {
  return withDirectory((directory) => {
    const path = (name: string): string => join(directory, name);
    writeFileSync(path("image.bin"), image);
    const { status, stderr } = spawnSync(
      QEMU,
      ["-M", "virt", "-m", "128M", "-cpu", QEMU_CPU, "-display", "none", "-monitor", "none"].concat([
        "-serial",
        `file:${path("console")}`,
        "-bios",
        path("image.bin"),
      ]),
      { timeout: 50_000 },
    );
    if (status !== 0) throw new Error(`${QEMU} failed: ${stderr.toString().trim() || "timed out"}`);
    return new Uint8Array(readFileSync(path("console")));
  });
}
