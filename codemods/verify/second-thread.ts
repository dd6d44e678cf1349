/**
 * A second thread that compiles some batches of a large plan while the caller compiles the others, and before that, while the
 * plan is made, files whose part of it is ready. The caller stays synchronous: it takes batches itself until none is
 * left, and then waits for those that the thread has taken.
 */
import { availableParallelism } from "node:os";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Configuration } from "../source/compiler-options.ts";
import type { Checked, Diagnostic } from "./compiler.ts";

/** Texts that replace those on disk, by path. */
type Texts = ReadonlyMap<string, string>;

/** What the thread is told about a plan. */
export interface Assignment {
  readonly id: number;
  readonly configuration: Configuration;
  /** Paths of files that are checked together. */
  readonly batches: readonly (readonly string[])[];
  readonly texts: Texts;
  /** True if `texts` are added to those of assignments before, which they hold with. */
  readonly addsTexts: boolean;
  /** One number for each batch, `Taken` or zero. */
  readonly board: Int32Array;
}

/** The thread's answer for one batch; without a result if it failed. */
export interface Answer {
  readonly id: number;
  readonly batch: number;
  readonly checked: Checked | undefined;
}

/** Who checks a batch. */
const Taken = { ByCaller: 1, ByThread: 2 } as const;

/** Milliseconds without an answer after which the caller does the rest itself. */
const PATIENCE = 60_000;
/** Files from which on a plan is worth a thread, which takes as long to start as some dozens of files to check. */
const MANY_FILES = 100;

/** Mebibytes of objects in the thread at most; the less there may be, the earlier V8 collects what is no longer used. */
const MOST_MEMORY = 512;
const MOST_YOUNG_MEMORY = 16;

export class SecondThread {
  private readonly worker: Worker;
  private readonly port: MessagePort;
  /** How many answers the thread has sent. */
  private readonly sent = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  private received = 0;
  private readonly answers = new Map<number, Map<number, Answer>>();
  private assignments = 0;
  /** True once an answer has not come. */
  private isLost = false;

  private constructor(first: string) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const entry = new URL("./second-thread-entry.js", import.meta.url);
    this.worker = new Worker(entry, {
      workerData: { port: port2, first, sent: this.sent },
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY, maxYoungGenerationSizeMb: MOST_YOUNG_MEMORY },
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
    configuration: Configuration,
    batches: readonly (readonly string[])[],
    texts: Texts,
    check: (batch: readonly string[]) => readonly Diagnostic[],
  ): (readonly Diagnostic[])[] {
    if (this.isLost) return batches.map(check);
    const { id, board } = this.post({ configuration, batches, texts, addsTexts: false });
    const found = new Map<number, readonly Diagnostic[]>();
    for (const [index, batch] of batches.entries()) {
      if (takeBatch(board, index, "ByCaller")) found.set(index, check(batch));
    }
    const answers = this.collect(id, board.filter((taken) => taken === Taken.ByThread).length);
    return batches.map(
      (batch, index) => found.get(index) ?? answers.get(index)?.checked?.found ?? check(batch),
    );
  }

  /**
   * Has the thread check files by themselves, before the rest of the plan is known. `texts` hold for all later calls, too.
   * @returns to be given to `resultsOf`
   */
  checkAhead(configuration: Configuration, batch: readonly string[], texts: Texts): Assignment | undefined {
    return this.isLost ? undefined : this.post({ configuration, batches: [batch], texts, addsTexts: true });
  }

  /** True for an assignment that somebody has taken, and for none. */
  hasBegun(assignment: Assignment | undefined): boolean {
    return assignment === undefined || Atomics.load(assignment.board, 0) !== 0;
  }

  /** Takes an assignment back unless the thread has begun it. */
  takeBack({ board }: Assignment): boolean {
    return takeBatch(board, 0, "ByCaller");
  }

  /** What the thread found ahead, unless the caller has taken it back; it is waited for. Undefined if the thread has failed. */
  resultOf({ id }: Assignment): Checked | undefined {
    return this.collect(id, 1).get(0)?.checked;
  }

  private post(given: Omit<Assignment, "id" | "board">): Assignment {
    const { length } = given.batches;
    const board = new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
    const assignment = { ...given, id: this.assignments++, board };
    this.port.postMessage(assignment);
    return assignment;
  }

  /** Waits for the answers to so many batches of an assignment, which the thread has taken or will take. */
  private collect(id: number, expected: number): ReadonlyMap<number, Answer> {
    const answers = () => this.answers.get(id) ?? new Map<number, Answer>();
    while (answers().size < expected && !this.isLost) this.receive();
    return answers();
  }

  private receive(): void {
    while (Atomics.load(this.sent, 0) <= this.received) {
      this.isLost = Atomics.wait(this.sent, 0, this.received, PATIENCE) === "timed-out";
      if (this.isLost) return;
    }
    this.received++;
    const answer: Answer | undefined = receiveMessageOnPort(this.port)?.message;
    if (answer === undefined) return;
    const known = this.answers.get(answer.id) ?? new Map();
    this.answers.set(answer.id, known.set(answer.batch, answer));
  }
}

/** Takes a batch unless somebody has it. */
export function takeBatch(board: Int32Array, batch: number, by: keyof typeof Taken): boolean {
  return Atomics.compareExchange(board, batch, 0, Taken[by]) === 0;
}

/** Sends an answer, and wakes the caller up. */
export function answer(port: MessagePort, sent: Int32Array, value: Answer): void {
  port.postMessage(value);
  Atomics.add(sent, 0, 1);
  Atomics.notify(sent, 0);
}
