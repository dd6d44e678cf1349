import { QomAbort } from "#qom";

/** Queue entry of one object, which may have at most one callback waiting. */
export class RcuNode {
  queued = false;
}

interface Callback {
  readonly node: RcuNode;
  readonly run: () => void;
}

/**
 * Read-copy-update: callbacks wait in one queue until every reader that was active when they were queued has left.
 *
 * The emulator is single-threaded, so a grace period ends whenever control is outside all read-side sections: the run
 * loop is notified when callbacks wait, and polls. A test or a long-lived reader can delay it.
 */
export class Rcu {
  private queue: Callback[] = [];
  private readers = 0;
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
    if (this.queue.push({ node, run }) === 1) this.onPending();
  }

  /** Enters a read-side section: no callback runs before it ends. Returns the function that ends it. */
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

  /** Runs the callbacks queued so far, unless a reader is active. Returns how many ran. */
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
      if (ran < batch.length) this.queue = [...batch.slice(ran), ...this.queue]; // one threw: the others keep waiting
    }
    return ran;
  }

  /**
   * Runs callbacks until none is left, including those queued meanwhile.
   * @throws QomAbort inside a read-side section, where this would never end.
   */
  drain(): void {
    if (this.readers > 0)
      throw new QomAbort("RCU callbacks were drained inside a read-side section, which would never end");
    while (this.poll() > 0);
  }
}
