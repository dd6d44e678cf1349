/** A place to show progress: standard error, as a rule. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const BAR_CELLS = 24;
const ERASE_LINE = "\r\u001b[K";

/** One line that is rewritten as work goes on. Silent where nobody watches: when the stream is not a terminal. */
export class Progress {
  private readonly stream: ProgressStream;
  private readonly total: number;
  private readonly now: () => number;
  private readonly start: number;
  private readonly shown: boolean;

  /**
   * @param total steps in all
   * @param now milliseconds of any clock
   */
  constructor(stream: ProgressStream, total: number, now: () => number = () => performance.now()) {
    this.stream = stream;
    this.total = total;
    this.now = now;
    this.start = now();
    this.shown = stream.isTTY === true;
  }

  /** @param done steps that have ended */
  update(done: number, label: string): void {
    if (!this.shown) return;
    const filled = Math.round((BAR_CELLS * done) / Math.max(1, this.total));
    const bar = "█".repeat(filled) + "░".repeat(BAR_CELLS - filled);
    const elapsed = this.now() - this.start;
    const left = done > 0 ? `, about ${seconds((elapsed / done) * (this.total - done))} left` : "";
    this.stream.write(`${ERASE_LINE}${bar} ${done}/${this.total} ${label}, ${seconds(elapsed)}${left}`);
  }

  /** Takes the line away, so that the result stands where it stood. */
  end(): void {
    if (this.shown) this.stream.write(ERASE_LINE);
  }
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)} s`;
}
