import { QomAbort } from "#qom";

/** Queue entry of one object, which may have at most one callback waiting. */
export class RcuNode {
  queued = false;
}

interface Callback {
  readonly node: RcuNode;
  readonly run: () => void;
  /** Number of readers that had entered before it was queued. */
  readonly after: number;
}

/**
 * Read-copy-update: callbacks wait in one queue until every reader that was active when they were queued has left.
 * Readers that enter later do not hold them back.
 *
 * The emulator is single-threaded, so a grace period ends whenever control is outside all read-side sections: the run
 * loop is notified when callbacks wait, and polls. A test or a long-lived reader can delay it.
 */
export class Rcu {
  private queue: Callback[] = [];
  /** Active readers, by the number of those that entered before; the oldest comes first. */
  private readonly readers = new Set<number>();
  private entered = 0;
  private readonly onPending: () => void;

  /** @param onPending called when the first callback is queued, and when a reader leaves while callbacks wait. */
  constructor(onPending: () => void = () => {}) {
    this.onPending = onPending;
  }

  /** Number of callbacks waiting for a grace period. */
  get pending(): number {
    return this.queue.length;
  }

  /** Queues `run` until the current readers have left. @throws QomAbort when `node` is already queued. */
  call(node: RcuNode, run: () => void): void {
    if (node.queued)
      throw new QomAbort("an RCU callback was queued on a node whose earlier callback has not run yet");
    node.queued = true;
    if (this.queue.push({ node, run, after: this.entered }) === 1) this.onPending();
  }

  /** Enters a read-side section: no callback queued before it ends runs before that. Returns the function that ends it. */
  read(): () => void {
    const reader = this.entered++;
    this.readers.add(reader);
    return () => {
      if (!this.readers.delete(reader)) throw new QomAbort("an RCU read-side section ends twice");
      if (this.queue.length > 0) this.onPending();
    };
  }

  /** Runs the callbacks queued so far, but for those that a reader holds back. Returns how many ran. */
  poll(): number {
    const [oldest = Number.POSITIVE_INFINITY] = this.readers;
    // Callbacks queued later wait for at least the same readers, so those that may run come first.
    const held = this.queue.findIndex(({ after }) => after > oldest);
    const batch = this.queue.splice(0, held < 0 ? this.queue.length : held);
    let ran = 0;
    try {
      for (const { node, run } of batch) {
        ran++;
        node.queued = false;
        run();
      }
    } finally {
      if (ran < batch.length) this.queue.unshift(...batch.slice(ran)); // one threw: the others keep waiting
    }
    return ran;
  }

  /**
   * Runs callbacks until none is left, including those queued meanwhile.
   * @throws QomAbort inside a read-side section, where this might never end.
   */
  drain(): void {
    if (this.readers.size > 0)
      throw new QomAbort("RCU callbacks were drained inside a read-side section, which would never end");
    while (this.poll() > 0);
  }
}
