/** The other side of the comparison: QEMU, driven through its qtest protocol instead of by a processor. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { AccessSize } from "#memory";
import { mtreeSections, withoutTargets } from "../testing/mtree-sections.ts";
import { ACLINT, RTC } from "./board.ts";
import { GdbRemote } from "./gdb-remote.ts";
import { Qmp } from "./qmp.ts";
import {
  hexOf,
  type Observation,
  RTC_BASE_SECONDS,
  read,
  resolve,
  type Step,
  type Watch,
  write,
} from "./script.ts";

const SIZE_SUFFIX: Readonly<Record<AccessSize, string>> = { 1: "b", 2: "w", 4: "l", 8: "q" };

/** QOM paths of the devices whose inputs are watched. The PLIC is the third unnamed device that the board creates. */
const WATCHED: Readonly<Record<Watch, string>> = {
  hart: "/machine/soc0/harts[0]",
  plic: "/machine/unattached/device[2]",
};

/** Hart 0 spins here while time passes: `1: addi t0, t0, -1; bnez t0, 1b`, then the breakpoint. */
const SPIN = 0x8f00_0000;
const SPIN_CODE = [0xfff2_8293, 0xfe02_9ee3, 0x0000_006f];
/**
 * Hart 1 dozes here without ever being idle: `csrsi mie, 2; csrsi mip, 2; 1: wfi; j 1b`. If all harts were idle when
 * hart 0 stops, QEMU would advance the clock without running the timers.
 */
const DOZE = 0x8000_0000;
const DOZE_CODE = [0x3041_6073, 0x3441_6073, 0x1050_0073, 0xffdf_f06f];
/** Two instructions at 16 ns each, according to `-icount shift=4`. */
const SPIN_NANOSECONDS = 32;
const SET_UP = [
  ...SPIN_CODE.map((word, index) => write(SPIN + 4 * index, 4, word)),
  ...DOZE_CODE.map((word, index) => write(DOZE + 4 * index, 4, word)),
  // qtest reports only changes, and the timer interrupt is high after reset (the comparator is 0): lower and raise it.
  write(ACLINT.mtimecmp(0), 8, 2n ** 64n - 1n),
  write(ACLINT.mtimecmp(0), 8, 0),
];
const REGISTER_T0 = 5;
const REGISTER_PC = 32;

/** Iterations of QEMU's main loop after which it is sure to have noticed input. */
const TURNS = 3;

/** Milliseconds after which QEMU is killed. */
const PATIENCE = 60_000;

/**
 * A stopped QEMU that runs scripts; call `close` when done with it.
 *
 * Its virtual clock counts instructions and the real-time clock follows it, so accesses take no guest time. The
 * `clock_step` command of qtest would need the qtest accelerator, which distributions leave out. Instead, hart 0 itself
 * spins for the time, with its interrupts masked, up to a breakpoint. Hart 1 executes some more instructions before the
 * machine stops; the RTC, read before and after, tells to the nanosecond how much time has passed.
 */
export class Qtest {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly replies: AsyncIterator<string>;
  private readonly folder = mkdtempSync(join(tmpdir(), "regionlab-qtest-"));
  /** Bytes sent through the UART; complete after `close`. */
  readonly sent: number[] = [];
  private gdb: GdbRemote | undefined;
  private qmp: Qmp | undefined;
  /** The other end of the UART's line. */
  private line: Socket | undefined;
  private interrupts = 0;
  /** Nanoseconds of guest time. */
  private now = 0;
  private complaint = "";

  constructor(watch: Watch) {
    const base = new Date(RTC_BASE_SECONDS * 1000).toISOString().slice(0, 19);
    const board =
      "-M virt -smp 2 -m 256M -bios none -display none -net none -monitor none -S -icount shift=4";
    const line = `-chardev socket,id=uart,path=${this.lineSocket},server=on,wait=on -serial chardev:uart`;
    const control = `-gdb unix:${this.gdbSocket},server=on,wait=off -qtest stdio -qtest-log none`;
    const monitor = `-qmp unix:${this.qmpSocket},server=on,wait=off`;
    const options = `${board} -rtc base=${base},clock=vm ${line} ${control} ${monitor}`;
    this.process = spawn("qemu-system-riscv64", options.split(" "), {
      timeout: PATIENCE,
      killSignal: "SIGKILL", // a stuck QEMU ignores other signals, and takes more and more memory
    });
    this.process.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.complaint += text;
    });
    this.process.stdin.on("error", () => {}); // if QEMU dies, the missing reply reports it
    this.replies = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    this.process.stdin.write(`irq_intercept_in ${WATCHED[watch]}\n`);
    this.process.stdin.write(SET_UP.map((step) => `${accessCommand(step)}\n`).join(""));
  }

  /** Runs a script, starting from the state that earlier ones left. */
  async run(script: readonly Step[]): Promise<Observation[]> {
    if (this.gdb === undefined) await this.begin();
    const observations: Observation[] = [];
    for (let start = 0; start < script.length; ) {
      const found = script.findIndex((step, index) => index >= start && !isAccess(step));
      const end = found < 0 ? script.length : found;
      await this.access(script.slice(start, end), observations);
      const step = script[end];
      if (step?.kind === "clock") observations.push(await this.passTime(step.nanoseconds));
      if (step?.kind === "input") observations.push(await this.type(step.bytes));
      if (step?.kind === "reset") observations.push(await this.reset());
      if (step?.kind === "map") observations.push(await this.look());
      start = end + 1;
    }
    return observations;
  }

  /** Ends the process and removes its files. */
  async close(): Promise<void> {
    this.gdb?.close();
    this.qmp?.close();
    if (this.process.exitCode === null && this.process.signalCode === null) {
      if (this.gdb !== undefined) await this.rtcTime(); // after all commands sent before
      const ended = new Promise((resolve) => this.process.once("exit", resolve));
      this.process.kill("SIGTERM");
      await ended;
    }
    if (this.line?.readableEnded === false) await new Promise((resolve) => this.line?.once("end", resolve));
    rmSync(this.folder, { recursive: true });
  }

  private get gdbSocket(): string {
    return join(this.folder, "gdb");
  }

  private get qmpSocket(): string {
    return join(this.folder, "qmp");
  }

  private get lineSocket(): string {
    return join(this.folder, "uart");
  }

  private async begin(): Promise<void> {
    await this.connectLine();
    for (let sent = 0; sent <= SET_UP.length; sent++) await this.nextReply("set-up");
    if (!existsSync(this.gdbSocket)) throw new Error(`QEMU opened no gdb socket: ${this.complaint}`);
    this.gdb = await GdbRemote.connect(this.gdbSocket);
    await this.gdb.setBreakpoint(SPIN + 8);
    this.qmp = await Qmp.connect(this.qmpSocket);
  }

  /** QEMU starts to listen a moment after it was started, and then waits for a connection. */
  private async connectLine(): Promise<void> {
    while (this.line === undefined) {
      if (this.process.exitCode !== null)
        throw new Error(`QEMU ended during startup: ${this.complaint.trim()}`);
      const line = connect(this.lineSocket);
      const connected = await new Promise<boolean>((resolve) => {
        line.once("connect", () => resolve(true)).once("error", () => resolve(false));
      });
      if (connected) this.line = line.on("data", (bytes) => this.sent.push(...bytes));
      else await delay(5);
    }
  }

  private async type(bytes: readonly number[]): Promise<Observation> {
    this.line?.write(Uint8Array.from(bytes));
    for (let turn = 0; turn < TURNS; turn++) {
      await delay(2);
      await this.rtcTime(); // makes the main loop iterate, which also polls the line
    }
    return { value: 0n, elapsed: 0, interrupts: this.interrupts };
  }

  private async reset(): Promise<Observation> {
    await this.qmp?.reset();
    await this.rtcTime(); // after all changes of interrupts
    return { value: 0n, elapsed: 0, interrupts: this.interrupts };
  }

  private async look(): Promise<Observation> {
    const views = mtreeSections((await this.qmp?.ask("info mtree -f")) ?? []);
    const regions = withoutTargets(mtreeSections((await this.qmp?.ask("info mtree")) ?? []));
    const map = [...views.flat(), ...regions.flat()].join("\n");
    return { value: 0n, elapsed: 0, interrupts: this.interrupts, map };
  }

  private async access(steps: readonly Step[], observations: Observation[]): Promise<void> {
    const commands = steps.map((step) =>
      accessCommand(step.kind === "moment" ? resolve(step, this.now) : step),
    );
    this.process.stdin.write(commands.map((command) => `${command}\n`).join(""));
    for (const sent of commands) {
      const reply = await this.nextReply(sent);
      const value = sent.startsWith("read") ? BigInt(reply) : 0n;
      observations.push({ value, elapsed: 0, interrupts: this.interrupts });
    }
  }

  private async passTime(nanoseconds: number): Promise<Observation> {
    if (this.gdb === undefined) throw new Error("time cannot pass before the first script");
    const before = await this.rtcTime();
    await this.gdb.setRegister(REGISTER_PC, BigInt(SPIN));
    await this.gdb.setRegister(REGISTER_T0, BigInt(Math.floor(nanoseconds / SPIN_NANOSECONDS) + 1));
    await this.gdb.continue();
    const elapsed = ((await this.rtcTime()) - before) >>> 0;
    this.now += elapsed;
    return { value: 0n, elapsed, interrupts: this.interrupts };
  }

  /** The low half of the RTC's time. */
  private async rtcTime(): Promise<number> {
    const observations: Observation[] = [];
    await this.access([read(RTC.timeLow, 4)], observations);
    return Number(observations[0]?.value);
  }

  /** Value of the next reply, if it has one; records the interrupts reported before it. */
  private async nextReply(sent: string): Promise<string> {
    for (;;) {
      const reply = await this.replies.next();
      if (reply.done) throw new Error(`QEMU ended at "${sent}": ${this.complaint.trim() || "no message"}`);
      const [kind, word = "", number] = reply.value.split(" ");
      if (kind === "OK") return word;
      if (kind !== "IRQ") throw new Error(`qtest answered "${reply.value}" to "${sent}"`);
      const bit = 1 << Number(number);
      this.interrupts = word === "raise" ? this.interrupts | bit : this.interrupts & ~bit;
    }
  }
}

const ACCESSES: readonly Step["kind"][] = ["read", "write", "moment", "readBytes", "writeBytes"];

function isAccess(step: Step): boolean {
  return ACCESSES.includes(step.kind);
}

function accessCommand(step: Step): string {
  if (step.kind === "readBytes") return `read 0x${step.address.toString(16)} 0x${step.length.toString(16)}`;
  if (step.kind === "writeBytes")
    return `write 0x${step.address.toString(16)} 0x${step.bytes.length.toString(16)} 0x${hexOf(step.bytes)}`;
  if (step.kind !== "read" && step.kind !== "write") throw new Error(`qtest has no command for ${step.kind}`);
  const access = `${step.kind}${SIZE_SUFFIX[step.size]} 0x${step.address.toString(16)}`;
  return step.kind === "read" ? access : `${access} 0x${step.value.toString(16)}`;
}
