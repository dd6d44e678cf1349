/** A debugging session: GDB's requests (GDB manual, appendix E) and the replies. Threads are harts, numbered from 1. */
import type { Socket } from "node:net";
import type { RiscvHart, WatchKind } from "#cpu/riscv";
import { tableOf } from "#host";
import type { Emulation, Pause, RunControl, RunEnd } from "#machine";
import { readVirtual, writeVirtual } from "../guest-memory.ts";
import { frame, PacketReader } from "./packet.ts";
import {
  fromHex,
  GENERAL_REGISTERS,
  readRegister,
  targetDescription,
  toHex,
  writeRegister,
} from "./registers.ts";

/** Longest packet accepted or sent. */
const PACKET_BYTES = 0x4000;
const OK = "OK";
/** Reply to unsupported requests. */
const UNSUPPORTED = "";
/** The errors EINVAL and EFAULT. */
const INVALID = "E16";
const NO_MEMORY = "E0e";
/** In place of a thread number: all threads. */
const ALL_THREADS = "-1";
/** An action that `vCont?` offers: continue or step, optionally with a signal, optionally for one thread. */
const ACTION = /^([cs]|[CS][0-9a-fA-F]{2})(:(-1|[0-9a-fA-F]+))?$/;
/** The same in the older packets, without and with a signal: for the selected thread, and optionally at an address. */
const PLAIN_ACTION = /^([cs])([0-9a-fA-F]{1,16})?$/;
const SIGNALLED_ACTION = /^([CS])[0-9a-fA-F]{2}(?:;([0-9a-fA-F]{1,16}))?$/;
/** Time that a debugger has to close the connection after the end of the session. */
const GOODBYE_MILLISECONDS = 500;
const SIGINT = "02";
const SIGTRAP = "05";

const WATCH_KINDS = tableOf<WatchKind>({ "2": "write", "3": "read", "4": "access" });
const WATCH_WORDS: Readonly<Record<WatchKind, string>> = { write: "watch", read: "rwatch", access: "awatch" };

/** Runs a monitor command and returns its output. */
export type MonitorCommand = (line: string) => string;

export class GdbSession {
  private readonly socket: Socket;
  private readonly control: RunControl;
  private readonly monitor: MonitorCommand;
  private readonly emulation: Emulation;
  private readonly reader = new PacketReader();
  private readonly stopListening: () => void;
  private readonly onLeave: () => void;
  private left = false;
  /** Whether the machine was running when the debugger connected, and whether the debugger has sent anything. */
  private readonly found: { readonly running: boolean };
  private spoke = false;
  private acknowledges = true;
  private lastSent: Buffer = Buffer.alloc(0);
  /** GDB is waiting for a stop reply. */
  private owesStop = false;
  private interrupted = false;
  /** Reply that describes the latest stop. */
  private stopReply: string;
  /** Hart that register and memory packets refer to. */
  private selected: RiscvHart;

  /**
   * Stops the machine, and serves GDB on `socket` until it detaches or the connection closes. Detaching resumes the
   * machine; a lost connection leaves it as it is (see `lost`).
   * @param onLeave called once, when the session has ended and does nothing to the machine any more.
   */
  constructor(socket: Socket, control: RunControl, monitor: MonitorCommand, onLeave: () => void) {
    this.onLeave = onLeave;
    this.socket = socket;
    this.control = control;
    this.monitor = monitor;
    this.emulation = control.emulation;
    this.selected = this.hart(0);
    this.stopReply = this.stopAt(SIGTRAP, this.selected);
    this.found = { running: !control.paused };
    control.stop();
    this.stopListening = control.onPause((pause) => this.paused(pause));
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.receive(chunk));
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => this.lost());
  }

  /** Tells GDB that the machine has ended. */
  end(end: RunEnd): void {
    const code = end === "fail" ? (this.emulation.shutdown?.code ?? 1) & 0xff : 0;
    if (this.owesStop) this.send(`W${code.toString(16).padStart(2, "0")}`);
    this.disconnect();
    this.leave(false);
  }

  /** The debugger has detached: the machine runs on as if it had never been attached. */
  private detach(): void {
    this.disconnect();
    this.leave(true);
  }

  /** Ends the connection. A debugger that stays connected, or does not read, must not keep this process. */
  private disconnect(): void {
    this.socket.end();
    const timer = setTimeout(() => this.socket.destroy(), GOODBYE_MILLISECONDS);
    this.socket.once("close", () => clearTimeout(timer));
  }

  /**
   * The connection has closed. A client that sent nothing, such as a port probe, leaves the machine as it found it. A
   * debugger that is lost leaves the machine in its current state, as in QEMU: a stopped machine waits for the next
   * debugger, or for the monitor's `cont`.
   */
  private lost(): void {
    this.leave(!this.spoke && this.found.running);
  }

  /** Removes everything that the debugger has set, unless that has been done already. */
  private leave(resume: boolean): void {
    if (this.left) return;
    this.left = true;
    this.stopListening();
    for (const hart of this.emulation.harts) hart.debug.removeAll();
    this.emulation.processors.held = new Set();
    if (resume) this.control.continue();
    this.onLeave(); // last, since it may begin the next session
  }

  private receive(chunk: Uint8Array): void {
    this.spoke = true;
    for (const received of this.reader.read(chunk)) {
      if (this.left) return; // the machine may be another debugger's by now
      switch (received.kind) {
        case "interrupt":
          this.interrupted = true;
          this.control.stop();
          break;
        case "damaged":
          if (this.acknowledges) this.socket.write("-");
          break;
        case "refused":
          this.socket.write(this.lastSent);
          break;
        case "packet": {
          if (this.acknowledges) this.socket.write("+");
          const answer = this.answer(received.data);
          if (answer !== null) this.send(answer);
          break;
        }
      }
    }
  }

  private send(data: string | Uint8Array): void {
    this.lastSent = frame(data);
    this.socket.write(this.lastSent);
  }

  private paused(pause: Pause): void {
    if (pause.kind === "request") {
      this.stopReply = this.stopAt(this.interrupted ? SIGINT : SIGTRAP, this.selected);
    } else {
      const { hart, hit } = pause.stop;
      const point =
        hit.kind === "watchpoint"
          ? `${WATCH_WORDS[hit.watchpoint.kind]}:${hit.watchpoint.address.toString(16)};`
          : "";
      this.stopReply = this.stopAt(SIGTRAP, hart, point);
    }
    this.interrupted = false;
    if (!this.owesStop) return;
    this.owesStop = false;
    this.send(this.stopReply);
  }

  private stopAt(signal: string, hart: RiscvHart, more = ""): string {
    this.selected = hart;
    return `T${signal}thread:${threadOf(hart)};${more}`;
  }

  private hart(index: number): RiscvHart {
    const hart = this.emulation.harts[index];
    if (hart === undefined) throw new RangeError(`there is no hart ${index}`);
    return hart;
  }

  /** The reply to a packet; null: none yet. */
  private answer(data: Buffer): string | Uint8Array | null {
    const packet = data.toString("latin1");
    const rest = packet.slice(1);
    switch (packet[0]) {
      case "?":
        return this.stopReply;
      case "g":
        return this.readGeneral();
      case "G":
        return this.writeGeneral(rest);
      case "p":
        return this.readOne(rest);
      case "P":
        return this.writeOne(rest);
      case "m":
        return this.readMemory(rest);
      case "M": {
        const [range = "", content = ""] = rest.split(":");
        return this.writeMemory(range, Buffer.from(content, "hex"));
      }
      case "X": {
        const colon = data.indexOf(":");
        return this.writeMemory(packet.slice(1, colon), data.subarray(colon + 1));
      }
      case "Z":
      case "z":
        return this.changePoint(packet[0] === "Z", rest);
      case "c":
      case "C":
      case "s":
      case "S":
        return this.resumeOld(packet);
      case "H":
        return this.selectThread(rest);
      case "T":
        return this.threadNamed(rest) === undefined ? INVALID : OK;
      case "D":
        this.send(OK);
        this.detach();
        return null;
      case "k":
        this.control.quit();
        return null;
      case "v":
        return this.answerVerbose(packet);
      case "q":
      case "Q":
        return this.answerQuery(packet);
      default:
        return UNSUPPORTED;
    }
  }

  private answerVerbose(packet: string): string | null {
    if (packet === "vCont?") return "vCont;c;C;s;S";
    if (packet.startsWith("vCont;")) {
      const actions = packet.slice("vCont;".length).split(";");
      if (!actions.every((action) => ACTION.test(action))) return UNSUPPORTED;
      return actions.every((action) => this.hasThread(action)) ? this.resume(actions) : INVALID;
    }
    if (packet.startsWith("vKill")) {
      this.send(OK);
      this.control.quit();
      return null;
    }
    return UNSUPPORTED;
  }

  private answerQuery(packet: string): string | Uint8Array {
    const [name = "", ...more] = packet.split(/[:,]/);
    switch (name) {
      case "qSupported":
        return `PacketSize=${PACKET_BYTES.toString(16)};qXfer:features:read+;vContSupported+;QStartNoAckMode+`;
      case "QStartNoAckMode":
        this.acknowledges = false;
        return OK;
      case "qXfer":
        return this.transferDescription(packet);
      case "qAttached":
        return "1";
      case "qC":
        return `QC${threadOf(this.selected)}`;
      case "qfThreadInfo":
        return `m${this.emulation.harts.map(threadOf).join(",")}`;
      case "qsThreadInfo":
        return "l";
      case "qThreadExtraInfo": {
        const hart = this.threadNamed(more[0] ?? "");
        if (hart === undefined) return INVALID;
        return Buffer.from(`CPU#${hart.hartId} [${hart.waiting ? "halted" : "running"}]`).toString("hex");
      }
      case "qRcmd": {
        const command = more[0] ?? "";
        if (!/^(?:[0-9a-f]{2})*$/i.test(command)) return INVALID;
        const said = this.monitor(Buffer.from(command, "hex").toString());
        return said === "" ? OK : Buffer.from(said).toString("hex");
      }
      default:
        return UNSUPPORTED;
    }
  }

  private transferDescription(packet: string): string {
    const [, offset, length] = /^qXfer:features:read:target\.xml:([0-9a-f]+),([0-9a-f]+)$/.exec(packet) ?? [];
    if (offset === undefined || length === undefined) return "E00";
    const text = targetDescription(this.selected);
    const start = Number.parseInt(offset, 16);
    const part = text.slice(start, start + Math.min(Number.parseInt(length, 16), PACKET_BYTES / 4));
    return `${start + part.length < text.length ? "m" : "l"}${part}`;
  }

  private selectThread(rest: string): string {
    const thread = rest.slice(1);
    if (thread === "0" || thread === ALL_THREADS) return OK; // 0: any thread
    const hart = this.threadNamed(thread);
    if (hart === undefined) return INVALID;
    if (rest[0] === "g") this.selected = hart;
    return OK;
  }

  /** An action for no thread in particular, for any (0), for all, or for one that exists. */
  private hasThread(action: string): boolean {
    const thread = action.split(":")[1] ?? ALL_THREADS;
    return thread === ALL_THREADS || /^0+$/.test(thread) || this.threadNamed(thread) !== undefined;
  }

  private threadNamed(text: string): RiscvHart | undefined {
    const number = Number.parseInt(text, 16);
    return this.emulation.harts.find((hart) => hart.hartId + 1 === number);
  }

  private readGeneral(): string {
    const numbers = Array.from({ length: GENERAL_REGISTERS }, (_, number) => number);
    return numbers.map((number) => toHex(readRegister(this.selected, number) ?? 0n)).join("");
  }

  private writeGeneral(text: string): string {
    const values = (text.match(/.{16}/g) ?? []).map(fromHex);
    if (values.length < GENERAL_REGISTERS) return INVALID;
    for (const [number, value] of values.slice(0, GENERAL_REGISTERS).entries())
      if (value !== undefined) writeRegister(this.selected, number, value);
    return OK;
  }

  private readOne(text: string): string {
    const value = readRegister(this.selected, Number.parseInt(text, 16));
    return value === undefined ? INVALID : toHex(value);
  }

  private writeOne(text: string): string {
    const [number = "", digits = ""] = text.split("=");
    const value = fromHex(digits);
    return value !== undefined && writeRegister(this.selected, Number.parseInt(number, 16), value)
      ? OK
      : INVALID;
  }

  private readMemory(text: string): string {
    const range = parseRange(text);
    if (range === undefined) return INVALID;
    const length = Math.min(range.length, PACKET_BYTES / 2 - 4);
    const bytes = readVirtual(this.emulation, this.selected, range.address, length);
    return bytes.length === 0 && length > 0 ? NO_MEMORY : bytes.toString("hex");
  }

  private writeMemory(text: string, content: Buffer): string {
    const range = parseRange(text);
    if (range === undefined || range.length !== content.length) return INVALID;
    return writeVirtual(this.emulation, this.selected, range.address, content) ? OK : NO_MEMORY;
  }

  /** Sets or removes a point on all harts, since GDB names none. Types 0 and 1 are breakpoints, 2 to 4 watchpoints. */
  private changePoint(insert: boolean, text: string): string {
    const [type = "", ...range] = text.split(",");
    const point = parseRange(range.join(",").split(";")[0] ?? "");
    if (point === undefined) return INVALID;
    const kind = WATCH_KINDS.get(type);
    if (kind === undefined && type !== "0" && type !== "1") return UNSUPPORTED;
    if (kind !== undefined && point.length < 1) return INVALID;
    for (const { debug } of this.emulation.harts) {
      if (kind === undefined) {
        if (insert) debug.addBreakpoint(point.address);
        else debug.removeBreakpoint(point.address);
      } else {
        const watchpoint = { kind, ...point };
        if (insert) debug.addWatchpoint(watchpoint);
        else debug.removeWatchpoint(watchpoint);
      }
    }
    return OK;
  }

  /** `c` and `s` may have an address to resume at; in `C` and `S` a signal precedes it, which is ignored. */
  private resumeOld(packet: string): string | null {
    const [, action, address] = PLAIN_ACTION.exec(packet) ?? SIGNALLED_ACTION.exec(packet) ?? [];
    if (action === undefined) return INVALID;
    if (address !== undefined) this.selected.pc = BigInt(`0x${address}`);
    return this.resume([action.toLowerCase()]);
  }

  /**
   * Each action is `c` or `s`, optionally with a signal, optionally for one thread. Threads that no action names are
   * held. If there is a step, the machine executes that one instruction and the other actions have no effect.
   */
  private resume(actions: readonly string[]): string | null {
    const step = actions.find((action) => /^s/i.test(action));
    const { harts, processors } = this.emulation;
    this.owesStop = true;
    processors.held = new Set();
    if (step === undefined) {
      const named = actions.map((action) => this.threadNamed(action.split(":")[1] ?? ALL_THREADS));
      if (!named.includes(undefined))
        processors.held = new Set(harts.filter((hart) => !named.includes(hart)));
      this.control.continue();
      return null;
    }
    const hart = this.threadNamed(step.split(":")[1] ?? ALL_THREADS) ?? this.selected;
    const end = this.emulation.stepInstruction(hart);
    if (end !== null && end !== "debug") {
      this.control.endWith(end); // the guest has ended, which `end` reports to GDB
      return null;
    }
    this.owesStop = false;
    const stop = end === "debug" ? this.emulation.debugStop : null;
    if (stop?.hit.kind === "watchpoint") {
      const { kind, address } = stop.hit.watchpoint;
      this.stopReply = this.stopAt(SIGTRAP, stop.hart, `${WATCH_WORDS[kind]}:${address.toString(16)};`);
    } else {
      this.stopReply = this.stopAt(SIGTRAP, hart);
    }
    return this.stopReply;
  }
}

function threadOf(hart: RiscvHart): string {
  return (hart.hartId + 1).toString(16);
}

/** `address,length`, both hexadecimal. */
function parseRange(text: string): { readonly address: bigint; readonly length: number } | undefined {
  const [, address, length] = /^([0-9a-f]{1,16}),([0-9a-f]{1,8})$/i.exec(text) ?? [];
  if (address === undefined || length === undefined) return undefined;
  return { address: BigInt(`0x${address}`), length: Number.parseInt(length, 16) };
}
