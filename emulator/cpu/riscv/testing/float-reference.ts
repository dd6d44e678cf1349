/** Floating-point cases from an independent source: the host's processor, through a C program (`float-reference.c`). */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const COMPILER = "gcc";

/** Bytes of a case: three source registers, the result register (8 bytes each), mode and flags (4 bytes each). */
export const CASE_BYTES = 40;
export const CASE = { sources: 0, result: 24, mode: 32, flags: 36 } as const;

/** Whether the reference cannot be built here; prints why. It relies on the rules of SSE and x87. */
export function referenceMissing(): boolean {
  if (process.arch !== "x64") {
    console.log(`skipped: the reference for floating point needs an x86-64 processor, not ${process.arch}`);
    return true;
  }
  if (spawnSync(COMPILER, ["--version"]).status === 0) return false;
  console.log(`skipped: ${COMPILER} is not installed`);
  return true;
}

export class FloatReference {
  private readonly directory = mkdtempSync(join(tmpdir(), "regionlab-float-"));
  private readonly program = join(this.directory, "float-reference");

  constructor() {
    execFileSync(COMPILER, [
      "-O2",
      "-frounding-math",
      "-fno-math-errno",
      "-o",
      this.program,
      fileURLToPath(new URL("float-reference.c", import.meta.url)),
      "-lm",
    ]);
  }

  /** `count` cases of an instruction, in chunks of whole cases. The mode is 0 to 4, or "all". */
  async *cases(instruction: string, mode: number | "all", count: number): AsyncGenerator<Uint8Array> {
    const seed = [...instruction].reduce((hash, letter) => (31 * hash + letter.charCodeAt(0)) % 2 ** 31, 1);
    const child = spawn(
      this.program,
      [instruction, String(mode === "all" ? -1 : mode), String(count), String(seed)],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let rest: Buffer = Buffer.alloc(0);
    let total = 0;
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const whole = bytes.length - (bytes.length % CASE_BYTES);
      rest = bytes.subarray(whole);
      total += whole / CASE_BYTES;
      yield bytes.subarray(0, whole);
    }
    if (total !== count) throw new Error(`${instruction}: ${total} cases instead of ${count}`);
  }

  dispose(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Describes a case, for messages. */
export function describeCase(bytes: Uint8Array, offset: number): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, CASE_BYTES);
  const hex = (at: number): string => view.getBigUint64(at, true).toString(16).padStart(16, "0");
  const sources = [0, 8, 16].map(hex).join(" ");
  return `${sources}, mode ${view.getUint32(CASE.mode, true)}: ${hex(CASE.result)}, flags ${view.getUint32(CASE.flags, true)}`;
}

/** Cases per instruction: as many as REGIONLAB_FLOAT_CASES says, or else a sample. */
export function caseCount(sample: number): number {
  return Number(process.env.REGIONLAB_FLOAT_CASES ?? sample);
}
