/** A QEMU process that is spoken to through its monitors. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CommandError } from "#host";

/** The program of a build folder for riscv64. */
export function emulatorOf(build: string): string {
  return join(build, "qemu-system-riscv64");
}

/** @throws CommandError (exit code 2) when a folder holds no emulator */
export function checkBuild(option: string, build: string): void {
  if (existsSync(emulatorOf(build))) return;
  throw new CommandError(
    `${option} ${build}: has no qemu-system-riscv64; give the folder in which QEMU was built (or installed, such as /usr/bin)`,
  );
}

/** True if an emulator can make devices of a type. */
export function hasDevice(build: string, type: string): boolean {
  const { stdout } = spawnSync(emulatorOf(build), ["-M", "none", "-device", "help"], { encoding: "utf8" });
  return stdout.includes(`name "${type}"`);
}

export interface SessionOptions {
  /** What runs the emulator, such as valgrind with its options. */
  readonly wrapper?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Milliseconds after which the process is killed. */
  readonly timeout?: number;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Members = { readonly [key: string]: Json };

/** Devices are never the defaults, and there is no window. */
const COMMON = ["-nodefaults", "-display", "none", "-qmp", "stdio"];

/** One emulator with QMP on its standard streams. */
export class Session {
  private readonly child: ChildProcess;
  private readonly waiting: ((reply: Members) => void)[] = [];
  private readonly events = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;
  private readonly ended: Promise<void>;
  private errors = "";
  private failure: ((error: Error) => void)[] = [];
  private over: CommandError | null = null;
  private onEvent: (() => void)[] = [];

  private constructor(program: readonly string[], options: SessionOptions) {
    const [command = "", ...args] = [...(options.wrapper ?? []), ...program];
    this.child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...options.environment },
    });
    this.timer = setTimeout(() => this.child.kill("SIGKILL"), options.timeout ?? 120_000);
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.errors += chunk.toString("latin1");
    });
    this.child.stdin?.on("error", () => undefined);
    const onExit = () => this.child.kill("SIGKILL");
    process.once("exit", onExit);
    this.ended = new Promise((resolve) => {
      const end = (text: string): void => {
        clearTimeout(this.timer);
        process.off("exit", onExit);
        const error = new CommandError(
          `${[command, ...args].join(" ")}: ${text}; it said: ${this.errors.slice(-400)}`,
        );
        this.over = error;
        for (const fail of this.failure) fail(error);
        this.failure = [];
        resolve();
      };
      this.child.once("error", (error) => end(error.message));
      this.child.once("close", (code, signal) => end(`ended with ${signal ?? code}`));
    });
    const { stdout } = this.child;
    if (stdout === null) throw new CommandError(`${command}: no standard output`);
    createInterface({ input: stdout }).on("line", (line) => this.take(JSON.parse(line)));
  }

  /** Starts an emulator. @throws CommandError if it ends before it answers. */
  static async start(build: string, args: readonly string[], options: SessionOptions = {}): Promise<Session> {
    const session = new Session([emulatorOf(build), ...COMMON, ...args], options);
    await session.command("qmp_capabilities");
    return session;
  }

  /** Of the emulator, or of valgrind around it. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** A QMP command's result. @throws CommandError if it fails. */
  async command(execute: string, args: Members = {}): Promise<Json> {
    const reply = await this.unlessEnded<Members>((resolve) => {
      this.waiting.push(resolve);
      this.child.stdin?.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    });
    if ("error" in reply) throw new CommandError(`${execute}: ${JSON.stringify(reply.error)}`);
    return reply.return ?? null;
  }

  /** What a command of the human monitor prints. */
  async monitor(line: string): Promise<string> {
    return String(await this.command("human-monitor-command", { "command-line": line }));
  }

  /**
   * How many events of this name there were.
   * @param device only those that name this device
   */
  count(event: string, device?: string): number {
    return this.events.get(device === undefined ? event : `${event} ${device}`) ?? 0;
  }

  /** Waits until there were so many events of this name. */
  async until(event: string, count: number, device?: string): Promise<void> {
    await this.unlessEnded<void>((resolve) => {
      const look = (): void => {
        if (this.count(event, device) >= count) resolve();
        else this.onEvent.push(look);
      };
      look();
    });
  }

  /** Ends the emulator, and waits until it has ended. */
  async quit(): Promise<void> {
    await this.command("quit");
    await this.ended;
  }

  /** Ends the emulator at once. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  private take(message: Members): void {
    if ("return" in message || "error" in message) {
      this.waiting.shift()?.(message);
      return;
    }
    const { event, data } = message;
    if (typeof event !== "string") return;
    const device = typeof data === "object" && data !== null && "device" in data ? data.device : undefined;
    for (const name of device === undefined ? [event] : [event, `${event} ${device}`])
      this.events.set(name, (this.events.get(name) ?? 0) + 1);
    for (const look of this.onEvent.splice(0)) look();
  }

  private async unlessEnded<T>(wait: (resolve: (value: T) => void) => void): Promise<T> {
    if (this.over !== null) throw this.over;
    return await new Promise<T>((resolve, reject) => {
      this.failure.push(reject);
      wait((value) => {
        this.failure = this.failure.filter((each) => each !== reject);
        resolve(value);
      });
    });
  }
}
