/** The process that drives devices. It can be ended if a device does not return, and dies alone if one uses up its memory. */
import { type ChildProcess, spawn } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { type CompiledFiles, Modules } from "./modules.ts";
import type { Job, JobResult, ModuleText, RoomIds } from "./worker/trace.ts";

/** Limits of a process, in MiB: far more than a device needs. */
export interface MemoryLimits {
  /** JavaScript objects. */
  readonly heap: number;
  /** Everything that is resident, which includes the buffers of memory regions. */
  readonly resident: number;
}

const DEFAULT_LIMITS: MemoryLimits = { heap: 1024, resident: 3072 };

/** Milliseconds between two looks at the memory of the process. */
const WATCH_INTERVAL = 50;
/** Begins a line on the standard error stream that says why the process ends. */
const REASON = "regionlab: ended: ";
/** Characters of the standard error stream that are kept. */
const LONGEST_ERROR = 10_000;

/** Ends the process from a thread of its own, because a device may keep the main thread busy. */
const watchCode = (resident: number, parent: number) => `
const fs = require("node:fs");
setInterval(() => {
  const late = process.ppid !== ${parent};
  const full = process.memoryUsage.rss() > ${resident * 2 ** 20};
  if (full) fs.writeSync(2, "\\n${REASON}ran out of memory\\n");
  if (full || late) process.kill(process.pid, "SIGKILL");
}, ${WATCH_INTERVAL});
`;

/** Links the driver's own modules, which are not known to Node's loader, and starts them. */
const firstCode = (resident: number) => `
const vm = require("node:vm");
const { Worker } = require("node:worker_threads");
process.on("uncaughtExceptionMonitor", (error) => {
  require("node:fs").writeSync(2, "\\n${REASON}failed: " + String(error?.message ?? error).split("\\n")[0] + "\\n");
});
process.on("disconnect", () => process.exit());
new Worker(${JSON.stringify(watchCode(resident, process.pid))}, { eval: true, execArgv: [] }).unref();
const host = {
  require: require("node:module").createRequire(process.cwd() + "/"),
  compile: (text, name) => new vm.Script(text, { filename: name }).runInThisContext(),
};
const port = {
  on: (event, listen) => process.on(event, listen),
  postMessage: (result) => process.send(result),
};
process.once("message", ({ linker, own, main, components, rooms }) => {
  const module = { exports: {} };
  host.compile("(function (exports, module) {" + linker + "\\n})", "linker")(module.exports, module);
  new module.exports.Linker(host, own).load(main).serve(host, components, rooms, port);
});
`;

/** How a job ended that returned no result. */
export interface Interrupted {
  readonly interrupted: string;
}

export interface DriverOptions {
  /** Milliseconds for one class in one form. */
  readonly timeLimit: number;
  readonly memory?: MemoryLimits | undefined;
}

interface Running {
  readonly child: ChildProcess;
  /** The end of what it wrote to its standard error stream. */
  error: string;
}

export class DriverProcess {
  private readonly components: readonly ModuleText[];
  private readonly rooms: RoomIds;
  private readonly options: DriverOptions;
  private readonly disk: CompiledFiles;
  private running: Running | null = null;

  constructor(
    components: readonly ModuleText[],
    rooms: RoomIds,
    options: DriverOptions,
    disk: CompiledFiles,
  ) {
    this.components = components;
    this.rooms = rooms;
    this.options = options;
    this.disk = disk;
  }

  /** Runs one job; jobs of one process must not overlap. */
  async run(job: Job): Promise<JobResult | Interrupted> {
    const running = this.running ?? this.start();
    this.running = running;
    const result = await resultOf(running, job, this.options.timeLimit);
    if ("interrupted" in result) await this.close();
    return result;
  }

  async close(): Promise<void> {
    const { running } = this;
    this.running = null;
    if (running === null) return;
    const { child } = running;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  private start(): Running {
    const here = fileURLToPath(import.meta.url);
    const file = (name: string) =>
      fileURLToPath(new URL(`./worker/${name}${extname(here)}`, import.meta.url));
    const modules = new Modules(new Map(), this.disk);
    const main = file("main");
    const own = modules.closure(main);
    const linker = own.find(({ id }) => id === file("linker"))?.code;
    const { heap, resident } = this.options.memory ?? DEFAULT_LIMITS;
    const args = [`--max-old-space-size=${heap}`, "--input-type=commonjs", "--eval", firstCode(resident)];
    // What a device prints is not ours to show; the standard error stream is read for the reason of an end.
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
    });
    const running: Running = { child, error: "" };
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      running.error = (running.error + text).slice(-LONGEST_ERROR);
    });
    child.send({ linker, own, main, components: this.components, rooms: this.rooms });
    return running;
  }
}

function resultOf(running: Running, job: Job, timeLimit: number): Promise<JobResult | Interrupted> {
  const { child } = running;
  return new Promise((resolve) => {
    const late = () => finish({ interrupted: `did not end within ${timeLimit / 1000} s` });
    const failed = (error: Error) => finish({ interrupted: `failed: ${error.message}` });
    const ended = (_: number | null, signal: NodeJS.Signals | null) =>
      finish({ interrupted: reasonOf(running.error, signal) });
    const finish = (result: JobResult | Interrupted) => {
      clearTimeout(timer);
      child.off("message", finish).off("error", failed).off("close", ended);
      resolve(result);
    };
    const timer = setTimeout(late, timeLimit);
    // "close" comes after the standard error stream has been read to its end.
    child.on("message", finish).on("error", failed).on("close", ended);
    child.send(job, (error) => {
      if (error !== null && child.connected) failed(error);
    });
  });
}

/** Why a process ended by itself. The kernel, too, kills the one that uses up the memory of the machine. */
function reasonOf(error: string, signal: NodeJS.Signals | null): string {
  if (/FATAL ERROR:.*(?:out of memory|Allocation failed)|Fatal JavaScript invalid size/.test(error))
    return "ran out of memory";
  const at = error.lastIndexOf(REASON);
  if (at >= 0) return error.slice(at + REASON.length).split("\n")[0] ?? "";
  return signal === "SIGKILL" ? "ran out of memory" : "ended the process";
}
