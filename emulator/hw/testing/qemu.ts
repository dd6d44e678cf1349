/** QEMU's own `virt` board, the reference for ours. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "vitest";

const QEMU = "qemu-system-riscv64";
/** Milliseconds after which QEMU is killed. */
const PATIENCE = 30_000;

/** Skips a test, with a message, if one of the programs is not installed. */
export function needs(context: TestContext, ...programs: readonly (typeof QEMU | "dtc")[]): void {
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
