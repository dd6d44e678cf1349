/** The worker that drives devices: a thread that can be ended if a device does not return. */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { type CompiledFiles, Modules } from "./modules.ts";
import type { Job, JobResult, ModuleText, RoomIds } from "./worker/trace.ts";

/** Heap of a worker, in MiB: far more than a device needs. */
const HEAP_MIB = 1024;

/** Links the worker's own modules, which are not known to Node's loader, and starts them. */
const FIRST_CODE = `
const { parentPort, workerData } = require("node:worker_threads");
const vm = require("node:vm");
const host = {
  require: require("node:module").createRequire(process.cwd() + "/"),
  compile: (text, name) => new vm.Script(text, { filename: name }).runInThisContext(),
};
const linker = { exports: {} };
host.compile("(function (exports, module) {" + workerData.linker + "\\n})", "linker")(linker.exports, linker);
const own = new linker.exports.Linker(host, workerData.own);
own.load(workerData.main).serve(host, workerData.components, workerData.rooms, parentPort);
`;

/** How a job ended that returned no result. */
export interface Interrupted {
  readonly interrupted: string;
}

export class DriverThread {
  private readonly components: readonly ModuleText[];
  private readonly rooms: RoomIds;
  private readonly timeLimit: number;
  private readonly disk: CompiledFiles;
  private worker: Worker | null = null;

  /** @param timeLimit milliseconds for one class in one form. */
  constructor(components: readonly ModuleText[], rooms: RoomIds, timeLimit: number, disk: CompiledFiles) {
    this.components = components;
    this.rooms = rooms;
    this.timeLimit = timeLimit;
    this.disk = disk;
  }

  /** Runs one job; jobs of one thread must not overlap. */
  async run(job: Job): Promise<JobResult | Interrupted> {
    const worker = this.worker ?? this.start();
    this.worker = worker;
    const result = await resultOf(worker, job, this.timeLimit);
    if ("interrupted" in result) await this.close();
    return result;
  }

  async close(): Promise<void> {
    const { worker } = this;
    this.worker = null;
    await worker?.terminate();
  }

  private start(): Worker {
    const here = fileURLToPath(import.meta.url);
    const file = (name: string) =>
      fileURLToPath(new URL(`./worker/${name}${extname(here)}`, import.meta.url));
    const modules = new Modules(new Map(), this.disk);
    const main = file("main");
    const own = modules.closure(main);
    const linker = own.find(({ id }) => id === file("linker"))?.code;
    const worker = new Worker(FIRST_CODE, {
      eval: true,
      execArgv: [],
      stdout: true, // what a device prints is not ours to show
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
      workerData: { linker, own, main, components: this.components, rooms: this.rooms },
    });
    worker.stdout.resume();
    worker.stderr.resume();
    return worker;
  }
}

function resultOf(worker: Worker, job: Job, timeLimit: number): Promise<JobResult | Interrupted> {
  return new Promise((resolve) => {
    const late = () => finish({ interrupted: `did not end within ${timeLimit / 1000} s` });
    const failed = (error: Error) => finish({ interrupted: reasonOf(error) });
    const ended = () => finish({ interrupted: "ended the process" });
    const finish = (result: JobResult | Interrupted) => {
      clearTimeout(timer);
      worker.off("message", finish).off("error", failed).off("exit", ended);
      resolve(result);
    };
    const timer = setTimeout(late, timeLimit);
    worker.on("message", finish).on("error", failed).on("exit", ended);
    worker.postMessage(job);
  });
}

function reasonOf(error: Error & { code?: string }): string {
  return error.code === "ERR_WORKER_OUT_OF_MEMORY" ? "ran out of memory" : `failed: ${error.message}`;
}
