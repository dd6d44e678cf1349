import { join } from "node:path";
import { packageRoot } from "./package-root.ts";

/**
 * A program that repeats one kind of work, without firmware, and prints a line with a checksum after each lap of about
 * half a second.
 */
export interface Kernel {
  readonly name: string;
  /** Predominant kind of work. */
  readonly kind: "integer" | "double" | "system" | "device";
  /** Its work, in one line. */
  readonly work: string;
  /** Absolute path of the ELF file, linked at the start of RAM. */
  readonly elf: string;
  /** Absolute path of the whole console output as QEMU printed it. */
  readonly expectedConsole: string;
}

/** The kernels of the processor's benchmark. */
export function kernels(): readonly Kernel[] {
  return [
    kernel("sort", "integer", "heap sort of words"),
    kernel("hash", "integer", "hash table: insert, find, delete"),
    kernel("matrix", "integer", "products of matrices of 64-bit integers"),
    kernel("string", "integer", "copy, compare, search and reverse text by bytes"),
    kernel("crc", "integer", "CRC-32 by table and by bits"),
    kernel("pointer-chase", "integer", "dependent loads over 8 MiB"),
    kernel("nbody", "double", "bodies under gravity: divisions and square roots"),
    kernel("matrix-double", "double", "products of matrices: fused multiply-adds"),
    kernel("mandelbrot", "double", "products and sums on registers"),
    kernel("spectral-norm", "double", "power method: divisions"),
    kernel(
      "system-calls",
      "system",
      "system calls between a user and a kernel with separate Sv39 page tables",
    ),
    kernel("device-loads", "device", "10 million loads from a register of the UART"),
  ];
}

function kernel(name: string, kind: Kernel["kind"], work: string): Kernel {
  const folder = join(packageRoot(), "workloads", "kernels");
  return {
    name,
    kind,
    work,
    elf: join(folder, "bin", `${name}.elf`),
    expectedConsole: join(folder, "expected", `${name}.txt`),
  };
}
