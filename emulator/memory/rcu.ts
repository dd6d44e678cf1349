import { QomAbort } from "#qom";

/** What one object needs to be queued: at most one callback of it may be waiting. */
export class RcuNode {
  queued = false;
}

interface Callback {
  readonly node: RcuNode;
  readonly run: () => void;
}

/**
 * Read-copy-update in real time: callbacks wait, in one queue, until every reader of their moment has ended.
 *
 * The emulator is one thread, so a grace period ends whenever control is outside all read-side sections: the run loop
 * is told when something waits, and polls. A test, or a reader that stays, can hold it back.
 */
export class Rcu {
  private queue: Callback[] = [];
  private readers = 0;
  private readonly onPending: () => void;

  /** @param onPending called when the first callback waits, and when a reader that was in its way has left. */
  constructor(onPending: () => void = () => {}) {
    this.onPending = onPending;
  }

  /** Callbacks that wait for their grace period. */
  get pending(): number {
    return this.queue.length;
  }

  /** Queues `run` until the current readers have ended. @throws QomAbort when `node` is queued already. */
  call(node: RcuNode, run: () => void): void {
    if (node.queued)
      throw new QomAbort("an RCU callback is queued on a node whose earlier callback has not run yet");
    node.queued = true;
    if (this.queue.push({ node, run }) === 1) this.onPending();
  }

  /** Enters a read-side section: no callback queued from now on runs before it ends. Returns its end. */
  read(): () => void {
    this.readers++;
    let open = true;
    return () => {
      if (!open) throw new QomAbort("an RCU read-side section ends twice");
      open = false;
      this.readers--;
      if (this.queue.length > 0) this.onPending();
    };
  }

  /** Runs what was queued before this moment, unless a reader is active. Returns the callbacks run. */
  poll(): number {
    if (this.readers > 0) return 0;
    const batch = this.queue;
    this.queue = [];
    let ran = 0;
    try {
      for (const { node, run } of batch) {
        ran++;
        node.queued = false;
        run();
      }
    } finally {
      if (ran < batch.length) this.queue = [...batch.slice(ran), ...this.queue]; // one threw: the others still wait
    }
    return ran;
  }

  /**
   * Waits until all that is queued, and all that this queues in turn, has run.
   * @throws QomAbort inside a read-side section, where the wait would never end.
   */
  drain(): void {
    if (this.readers > 0) throw new QomAbort("drain of RCU callbacks inside a read-side section never ends");
    while (this.poll() > 0);
  }
}
