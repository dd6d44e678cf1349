import { availableParallelism } from "node:os";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { BatchRequest, UnitCode } from "./batch.ts";
import { threadEntry } from "./thread-entry.ts";

/** A batch whose module is valid, and compiled as far as the engine does that ahead. */
export interface CompiledBatch {
  readonly units: readonly UnitCode[];
  /** Size of the module before it was compiled. */
  readonly bytes: number;
  readonly module: WebAssembly.Module;
}

/** What the thread is started with. */
export interface ThreadData {
  readonly port: MessagePort;
  /** Its one element counts the replies that the thread has sent. */
  readonly answered: Int32Array<SharedArrayBuffer>;
}

export interface ThreadRequest {
  readonly id: number;
  readonly request: BatchRequest;
}

export interface ThreadReply {
  readonly id: number;
  /** Undefined if nothing could be translated. */
  readonly batch: CompiledBatch | undefined;
  readonly generateMilliseconds: number;
  readonly compileMilliseconds: number;
}

/** Gets a reply, or null if the thread has ended without one. */
type Receiver = (reply: ThreadReply | null) => void;

/**
 * A thread that translates for all machines of a process. It starts with the first request, and does not keep the process
 * alive. Replies are collected by whoever runs a machine: no event loop turns meanwhile.
 */
export class TranslationThread {
  private readonly entry: URL;
  private readonly answered = new Int32Array(new SharedArrayBuffer(4));
  private readonly receivers = new Map<number, Receiver>();
  /** Undefined before the first request; null if the thread could not be started, or has failed. */
  private port: MessagePort | null | undefined;
  private collected = 0;
  private nextId = 0;

  /** The thread of this process; null on a single processor, and in the sources, which have no file for it. */
  static readonly shared = TranslationThread.find();

  private static find(): TranslationThread | null {
    const entry = threadEntry();
    return entry === undefined || availableParallelism() < 2 ? null : new TranslationThread(entry);
  }

  private constructor(entry: URL) {
    this.entry = entry;
  }

  /**
   * Has a batch translated; one of the calls of `collect` to come calls `receive`. The copies of pages are given away.
   * @returns false if there is no thread that could
   */
  request(request: BatchRequest, receive: Receiver): boolean {
    if (this.port === undefined) this.port = this.start();
    if (this.port === null) return false;
    const message: ThreadRequest = { id: this.nextId++, request };
    this.receivers.set(message.id, receive);
    const buffers = request.places.flatMap(({ page }) => [page.halfwords.buffer, page.reached.buffer]);
    this.port.postMessage(message, [...new Set(buffers)]);
    return true;
  }

  /** Passes on the replies that have come. Costs one load if there is none. */
  collect(): void {
    while (this.port != null && Atomics.load(this.answered, 0) !== this.collected) {
      const received = receiveMessageOnPort(this.port);
      if (received === undefined) return;
      this.collected = (this.collected + 1) | 0;
      const reply: ThreadReply = received.message;
      this.settle(reply.id, reply);
    }
  }

  private settle(id: number, reply: ThreadReply | null): void {
    const receive = this.receivers.get(id);
    this.receivers.delete(id);
    receive?.(reply);
  }

  /** Null where threads are forbidden. */
  private start(): MessagePort | null {
    const { port1, port2 } = new MessageChannel();
    const workerData: ThreadData = { port: port2, answered: this.answered };
    try {
      const worker = new Worker(this.entry, { workerData, transferList: [port2], execArgv: [] });
      worker.unref();
      worker.on("error", () => this.fail()); // without a listener, the error would end the process
    } catch {
      port1.close();
      return null;
    }
    return port1;
  }

  private fail(): void {
    this.port?.close();
    this.port = null;
    for (const id of [...this.receivers.keys()]) this.settle(id, null);
  }
}
