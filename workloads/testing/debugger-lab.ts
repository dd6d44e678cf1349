/** Runs the real gdb against our machine and against QEMU. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { TestContext } from "vitest";
import { packageRoot } from "../package-root.ts";
import { skipWithout } from "./programs.ts";

export const GDB = "gdb-multiarch";
export const GCC = "riscv64-unknown-elf-gcc";
export const QEMU = "qemu-system-riscv64";

/** Debian packages that contain them. */
const PACKAGES = {
  [GDB]: "gdb-multiarch",
  [GCC]: "gcc-riscv64-unknown-elf",
  [QEMU]: "qemu-system-misc",
} as const;

const COMMAND = join(packageRoot(), "dist", "bin", "cli.js");
const PATIENCE_MS = 60_000;
const QEMU_BOARD = "-M virt -m 256M -bios none -display none -serial null -monitor none -S".split(" ");

/** A machine of ours that waits for a debugger. */
export interface DebuggedMachine {
  /** Argument for gdb's `target remote`. */
  readonly target: string;
  /** What the guest has printed so far. */
  console(): string;
  /** Settles with the exit code when the machine ends. */
  readonly ended: Promise<number | null>;
}

/** A place to build and debug programs: a folder and processes, which `close` removes. */
export class DebuggerLab {
  private readonly folder = mkdtempSync(join(tmpdir(), "regionlab-gdb-"));
  private readonly children: ChildProcess[] = [];
  private built = 0;

  close(): void {
    for (const child of this.children) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true });
  }

  /** Path of a name in the lab's folder. */
  at(name: string): string {
    return join(this.folder, name);
  }

  /** Skips a test, with a reason, if one of the programs is not installed. */
  needs(test: TestContext, ...programs: readonly (keyof typeof PACKAGES)[]): void {
    for (const program of programs) skipWithout(test, program, PACKAGES[program]);
  }

  /** Assembles a program at the start of RAM; returns its ELF file. */
  build(assembly: string): string {
    const elf = this.at(`program${this.built++}.elf`);
    writeFileSync(`${elf}.S`, assembly);
    const options = ["-nostdlib", "-march=rv64imac_zicsr", "-mabi=lp64"];
    const link = "-Wl,-Ttext=0x80000000,--no-relax,-N,--no-warn-rwx-segments";
    execFileSync(GCC, [...options, link, "-o", elf, `${elf}.S`]);
    return elf;
  }

  /** Starts our machine with a free port for the debugger; with `-S` it waits for one. */
  async startOurs(elf: string, ...options: readonly string[]): Promise<DebuggedMachine> {
    const child = spawn(process.execPath, [COMMAND, "run", "--kernel", elf, "--gdb", "0", ...options], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.children.push(child);
    let printed = "";
    child.stdout.setEncoding("latin1").on("data", (text: string) => {
      printed += text;
    });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const port = await new Promise<string>((resolve, reject) => {
      let said = "";
      child.stderr.on("data", (text) => {
        said += text;
        const [, found] = /127\.0\.0\.1:(\d+)/.exec(said) ?? [];
        if (found !== undefined) resolve(found);
      });
      child.once("exit", () => reject(new Error(`ended: ${said}`)));
    });
    return { target: `:${port}`, console: () => printed, ended };
  }

  /** Starts QEMU, which waits for a debugger; returns its socket. */
  async startQemu(elf: string, ...options: readonly string[]): Promise<string> {
    const socket = this.at(`socket${this.built++}`);
    const debug = ["-kernel", elf, "-gdb", `unix:${socket},server=on,wait=off`];
    this.children.push(spawn(QEMU, [...QEMU_BOARD, ...options, ...debug], { stdio: "ignore" }));
    await untilAnswering(socket);
    return socket;
  }

  /** The lines that gdb prints for these commands. */
  async gdb(target: string, elf: string, commands: readonly string[]): Promise<string[]> {
    const script = ["set confirm off", `target remote ${target}`, ...commands];
    const gdb = [GDB, "-nx", "-batch", ...script.flatMap((each) => ["-ex", each]), elf];
    // One pipe for both of its streams; otherwise lines of one could be split by lines of the other.
    const child = spawn("sh", ["-c", 'exec "$@" 2>&1', "sh", ...gdb], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.children.push(child);
    let said = "";
    child.stdout.on("data", (text) => {
      said += text;
    });
    const patience = globalThis.setTimeout(() => child.kill(), PATIENCE_MS);
    await new Promise((resolve) => child.once("close", resolve));
    clearTimeout(patience);
    return said.split("\n").filter((line) => line.trim() !== "");
  }
}

/**
 * Normalises lines that contain the target's address or report its end, which differ between the two. QEMU exits while
 * gdb may still be writing to it, so that `kill` sometimes ends in a lost connection.
 */
export function withoutPlace(line: string): string {
  return line
    .replace(/^\[Inferior .*\]$/, ENDED)
    .replace(
      /^Remote communication error\. {2}Target disconnected\.: (Broken pipe|Connection reset by peer)\.$/,
      ENDED,
    )
    .replace(/Thread 1\.(\d+)/, "Thread $1");
}

const ENDED = "[ended]";

async function untilAnswering(socket: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const connected = await new Promise<boolean>((resolve) => {
      const probe = createConnection(socket, () => {
        probe.destroy();
        resolve(true);
      }).once("error", () => resolve(false));
    });
    if (connected) return;
    await setTimeout(50);
  }
  throw new Error("QEMU does not answer");
}
