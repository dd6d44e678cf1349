/** A stream for progress, usually standard error. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const BAR_CELLS = 24;
const ERASE_LINE = "\r\u001b[K";

/** Milliseconds between two lines if the stream is not a terminal but, for instance, a log. */
const LINE_EVERY = 60_000;

/** One line that is rewritten as work proceeds; in a log, one line per minute. */
export class Progress {
  private readonly stream: ProgressStream;
  private readonly total: number;
  private readonly now: () => number;
  private readonly start: number;
  private readonly rewrites: boolean;
  private lastLine: number;

  /**
   * @param total number of steps
   * @param now milliseconds of any clock
   */
  constructor(stream: ProgressStream, total: number, now: () => number = () => performance.now()) {
    this.stream = stream;
    this.total = total;
    this.now = now;
    this.start = now();
    this.lastLine = this.start;
    this.rewrites = stream.isTTY === true;
  }

  /** @param done finished steps, including fractions */
  update(done: number, label: string): void {
    const now = this.now();
    if (!this.rewrites && now - this.lastLine < LINE_EVERY) return;
    this.lastLine = now;
    const elapsed = now - this.start;
    const left = done > 0 ? `, about ${seconds((elapsed / done) * (this.total - done))} left` : "";
    const text = `${Math.floor(done)}/${this.total} ${label}, ${seconds(elapsed)}${left}`;
    const filled = Math.round((BAR_CELLS * done) / Math.max(1, this.total));
    const bar = "█".repeat(filled) + "░".repeat(BAR_CELLS - filled);
    this.stream.write(this.rewrites ? `${ERASE_LINE}${bar} ${text}` : `${text}\n`);
  }

  /** Erases the line, so that the result takes its place. */
  end(): void {
    if (this.rewrites) this.stream.write(ERASE_LINE);
  }
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)} s`;
}
