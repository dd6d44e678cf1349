/** QEMU's own `virt` board, the reference for ours. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestContext } from "vitest";

const QEMU = "qemu-system-riscv64";
/** Milliseconds after which QEMU is killed. */
const PATIENCE = 30_000;

/** Skips a test, with a message, if one of the programs is not installed. */
export function needs(context: TestContext, ...programs: readonly (typeof QEMU | "dtc" | "gcc")[]): void {
  for (const program of programs) {
    if (spawnSync(program, ["--version"], { stdio: "ignore" }).status !== 0) {
      context.skip(`${program} is not installed: nothing to compare with`);
    }
  }
}

/** The answer of a stopped machine's monitor to one command, line by line. */
export function askMonitor(options: readonly string[], command: string): string[] {
  const machine = ["-M", "virt", "-S", "-display", "none", "-serial", "null", "-net", "none"];
  const requests = [
    { execute: "qmp_capabilities" },
    { execute: "human-monitor-command", arguments: { "command-line": command } },
    { execute: "quit" },
  ];
  const { stdout } = spawnSync(QEMU, [...machine, ...options, "-qmp", "stdio"], {
    input: requests.map((request) => `${JSON.stringify(request)}\n`).join(""),
    encoding: "utf8",
    timeout: PATIENCE,
  });
  const answers = stdout.split("\n").filter((line) => line.startsWith('{"return"'));
  const answer: unknown = JSON.parse(answers[1] ?? "{}").return;
  if (typeof answer !== "string") throw new Error(`QEMU's monitor did not answer "${command}": ${stdout}`);
  return answer.trimEnd().split(/\r?\n/);
}

/**
 * The answers of QEMU's own memory core to `lines`, in the language of `asked-regions.c`; null if this QEMU does not let
 * others call it.
 */
export function askMemoryCore(lines: readonly string[]): string[] | null {
  const folder = mkdtempSync(join(tmpdir(), "regionlab-regions-"));
  try {
    const library = join(folder, "asked-regions.so");
    const source = fileURLToPath(new URL("asked-regions.c", import.meta.url));
    execFileSync("gcc", ["-shared", "-fPIC", "-O1", "-o", library, source]);
    const script = join(folder, "script");
    writeFileSync(script, lines.map((line) => `${line}\n`).join(""));
    const { stdout, stderr, status } = spawnSync(
      QEMU,
      ["-M", "virt", "-S", "-display", "none", "-nodefaults", "-bios", "none"],
      {
        env: { ...process.env, LD_PRELOAD: library, REGIONLAB_REGIONS: script },
        encoding: "utf8",
        timeout: PATIENCE,
        killSignal: "SIGKILL",
      },
    );
    if (/undefined symbol/.test(stderr)) return null;
    if (status !== 0) throw new Error(`QEMU's memory core did not answer: ${stderr}`);
    return stdout.split("\n").slice(0, -1);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The flattened device tree that QEMU generates for a machine with these options. */
export function dumpDeviceTree(options: readonly string[]): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "regionlab-dtb-"));
  const file = join(folder, "virt.dtb");
  try {
    spawnSync(QEMU, ["-M", `virt,dumpdtb=${file}`, "-display", "none", "-net", "none", ...options], {
      timeout: PATIENCE,
    });
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The source text of a flattened device tree, and dtc's warnings about it. */
export function decompile(blob: Uint8Array): { source: string; complaints: string } {
  const { stdout, stderr } = spawnSync("dtc", ["-I", "dtb", "-O", "dts"], { input: blob, encoding: "utf8" });
  return { source: stdout, complaints: stderr };
}
