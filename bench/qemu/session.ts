/** A QEMU process that is spoken to through its monitors. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CommandError } from "#host";

/** The program of a build folder for riscv64. */
export function emulatorOf(build: string): string {
  return join(build, "qemu-system-riscv64");
}

export interface SessionOptions {
  /** What runs the emulator, such as valgrind with its options. */
  readonly wrapper?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Milliseconds after which the process is killed. */
  readonly timeout?: number;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One emulator with QMP on its standard streams. */
export class Session {
  private readonly child: ChildProcess;
  private readonly waiting: ((reply: { readonly [key: string]: Json }) => void)[] = [];
  private readonly timer: NodeJS.Timeout;
  private readonly ended: Promise<void>;
  private errors = "";
  private failure: ((error: Error) => void)[] = [];

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
    this.ended = new Promise((resolve) => {
      const end = (text: string): void => {
        clearTimeout(this.timer);
        const error = new CommandError(`${program.join(" ")}: ${text}; it said: ${this.errors.slice(-400)}`);
        for (const fail of this.failure) fail(error);
        this.failure = [];
        resolve();
      };
      this.child.once("error", (error) => end(error.message));
      this.child.once("close", (code, signal) => end(`ended with ${signal ?? code}`));
    });
    const { stdout } = this.child;
    if (stdout === null) throw new CommandError(`${command}: no standard output`);
    createInterface({ input: stdout }).on("line", (line) => {
      const reply: { readonly [key: string]: Json } = JSON.parse(line);
      if ("return" in reply || "error" in reply) this.waiting.shift()?.(reply);
    });
  }

  /** Starts an emulator. @throws CommandError if it ends before it answers. */
  static async start(build: string, args: readonly string[], options: SessionOptions = {}): Promise<Session> {
    const common = ["-nodefaults", "-display", "none", "-qmp", "stdio"];
    const session = new Session([emulatorOf(build), ...common, ...args], options);
    await session.command("qmp_capabilities");
    return session;
  }

  /** A QMP command's result. @throws CommandError if it fails. */
  async command(execute: string, args: { readonly [key: string]: Json } = {}): Promise<Json> {
    const reply = await new Promise<{ readonly [key: string]: Json }>((resolve, reject) => {
      this.failure.push(reject);
      this.waiting.push((answer) => {
        this.failure = this.failure.filter((each) => each !== reject);
        resolve(answer);
      });
      this.child.stdin?.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    });
    if ("error" in reply) throw new CommandError(`${execute}: ${JSON.stringify(reply.error)}`);
    return reply.return ?? null;
  }

  /** What a command of the human monitor prints. */
  async monitor(line: string): Promise<string> {
    return String(await this.command("human-monitor-command", { "command-line": line }));
  }

  /** Ends the emulator, and waits until it has ended. */
  async quit(): Promise<void> {
    await this.command("quit");
    await this.ended;
  }
}
