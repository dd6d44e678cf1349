/**
 * A second thread that compiles some batches of a large plan while the caller compiles the others. The caller stays
 * synchronous: it takes batches itself until none is left, and then waits for those that the thread has taken.
 */
import { availableParallelism } from "node:os";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Configuration } from "../source/compiler-options.ts";
import type { Diagnostic } from "./compiler.ts";

/** What the thread is told about a plan. */
export interface Assignment {
  readonly configuration: Configuration;
  /** Paths of files that are checked together. */
  readonly batches: readonly (readonly string[])[];
  /** Texts that replace those on disk. */
  readonly texts: ReadonlyMap<string, string>;
  /** One number for each batch, `Taken` or zero, and then the number of batches that the thread has answered. */
  readonly board: Int32Array;
}

/** The thread's answer for one batch; without diagnostics if it failed. */
export interface Answer {
  readonly batch: number;
  readonly found: readonly Diagnostic[] | undefined;
}

/** Who checks a batch. */
const Taken = { ByCaller: 1, ByThread: 2 } as const;

/** Milliseconds without an answer after which the caller does the rest itself. */
const PATIENCE = 60_000;
/** Files from which on a plan is worth a thread, which takes as long to start as some dozens of files to check. */
const MANY_FILES = 100;

/** Mebibytes of objects in the thread at most; the less there may be, the earlier V8 collects what is no longer used. */
const MOST_MEMORY = 1024;

export class SecondThread {
  private readonly worker: Worker;
  private readonly port: MessagePort;
  /** True once an answer has not come. */
  private isLost = false;

  private constructor(first: string) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const entry = new URL("./second-thread-entry.js", import.meta.url);
    this.worker = new Worker(entry, {
      workerData: { port: port2, first },
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY },
    });
    // A thread that ends early answers nothing, and the caller does its work.
    this.worker.on("error", () => {});
    this.worker.unref();
  }

  /**
   * Starts a thread that gets ready while the plan is made; undefined where it would not help. It ends with `stop`.
   * @param sources the files to be converted
   */
  static forMany(sources: readonly string[]): SecondThread | undefined {
    const [first] = sources;
    const built = import.meta.url.endsWith(".js"); // a thread cannot load TypeScript
    if (first === undefined || sources.length < MANY_FILES || !built || availableParallelism() < 2)
      return undefined;
    return new SecondThread(first);
  }

  stop(): void {
    this.port.close();
    void this.worker.terminate();
  }

  /** The diagnostics of each batch; `check` finds those of the batches that the caller takes. */
  share(
    { configuration, batches, texts }: Omit<Assignment, "board">,
    check: (batch: readonly string[]) => readonly Diagnostic[],
  ): (readonly Diagnostic[])[] {
    const board = new Int32Array(new SharedArrayBuffer((batches.length + 1) * Int32Array.BYTES_PER_ELEMENT));
    if (this.isLost) return batches.map(check);
    this.port.postMessage({ configuration, batches, texts, board } satisfies Assignment);
    const found = new Map<number, readonly Diagnostic[]>();
    for (const [index, batch] of batches.entries()) {
      if (takeBatch(board, index, "ByCaller")) found.set(index, check(batch));
    }
    this.collect(board, batches.length, found);
    return batches.map((batch, index) => found.get(index) ?? check(batch));
  }

  /** Waits for the answers of the thread. */
  private collect(board: Int32Array, batches: number, found: Map<number, readonly Diagnostic[]>): void {
    const expected = board.subarray(0, batches).filter((taken) => taken === Taken.ByThread).length;
    for (let answered = 0; answered < expected; answered++) {
      while (Atomics.load(board, batches) <= answered) {
        this.isLost = Atomics.wait(board, batches, answered, PATIENCE) === "timed-out";
        if (this.isLost) return;
      }
      const answer: Answer | undefined = receiveMessageOnPort(this.port)?.message;
      if (answer?.found !== undefined) found.set(answer.batch, answer.found);
    }
  }
}

/** Takes a batch unless somebody has it. */
export function takeBatch(board: Int32Array, batch: number, by: keyof typeof Taken): boolean {
  return Atomics.compareExchange(board, batch, 0, Taken[by]) === 0;
}

/** Sends an answer, and wakes the caller up. */
export function answer(port: MessagePort, board: Int32Array, value: Answer): void {
  port.postMessage(value);
  const answered = board.length - 1;
  Atomics.add(board, answered, 1);
  Atomics.notify(board, answered);
}
