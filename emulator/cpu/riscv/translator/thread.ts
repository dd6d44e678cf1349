/**
 * The thread that translates: generates and compiles batches one after another, in the order of their requests. V8 shares
 * compiled modules between threads.
 */
import { workerData } from "node:worker_threads";
import { generateBatch } from "./batch.ts";
import type { ThreadData, ThreadReply, ThreadRequest } from "./translation-thread.ts";

const { port, answered }: ThreadData = workerData;

port.on("message", ({ id, request }: ThreadRequest) => {
  answer({ id, ...compile(request) });
});

function compile(request: ThreadRequest["request"]): Omit<ThreadReply, "id"> {
  const started = performance.now();
  const batch = generateBatch(request);
  const generated = performance.now();
  const compiled = batch && {
    units: batch.units,
    bytes: batch.code.length,
    module: build(batch.code),
  };
  return {
    batch: compiled,
    generateMilliseconds: generated - started,
    compileMilliseconds: performance.now() - generated,
  };
}

/** What the units are linked to here: they execute nothing. */
const memory = new WebAssembly.Memory({ initial: 1 });
const leave = () => 0;

/**
 * Compiles a module with all of its functions. V8 compiles each when it is first called, in whichever thread that happens; without
 * instructions left, a unit returns at once.
 */
function build(code: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  const module = new WebAssembly.Module(code);
  const imports = { guest: { memory }, interpreter: { jump: leave, finish: leave } };
  for (const unit of Object.values(new WebAssembly.Instance(module, imports).exports)) {
    try {
      (unit as (pc: bigint, remaining: number) => number)(0n, 0);
    } catch {} // its hart's block is beyond that memory
  }
  return module;
}

/** Counts the answer after it is on its way, so that whoever sees the count finds it. */
function answer(reply: ThreadReply): void {
  port.postMessage(reply);
  Atomics.add(answered, 0, 1);
}
