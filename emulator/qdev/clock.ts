/** Calls back at a moment of guest time. */
export class Timer {
  /** Nanoseconds of guest time, or Infinity while it is not set. */
  deadline = Number.POSITIVE_INFINITY;
  /** Of timers that are due at once, the one with the lowest fires first: the one that was set first. */
  turn = 0;
  readonly fire: () => void;
  private readonly clock: Clock;

  constructor(clock: Clock, fire: () => void) {
    this.clock = clock;
    this.fire = fire;
  }

  /** Sets it to fire at `deadline` (nanoseconds of guest time; the past fires at once, from the run loop). */
  set(deadline: number): void {
    this.clock.arm(this, deadline);
  }

  cancel(): void {
    this.clock.arm(this, Number.POSITIVE_INFINITY);
  }

  /** What a snapshot keeps of it; null while it is not set. */
  save(): { readonly deadline: number; readonly turn: number } | null {
    const { deadline } = this;
    return deadline === Number.POSITIVE_INFINITY ? null : { deadline, turn: this.clock.rank(this) };
  }

  /** Sets it as it was when it was saved. */
  restore(deadline: number, turn: number): void {
    this.clock.arm(this, deadline, turn);
  }
}

/**
 * Guest time: nanoseconds since the machine was made, told by whoever runs the processor (counted instructions, so that
 * runs repeat exactly, or a test that advances it).
 */
export class Clock {
  /** Called when a deadline was set that comes before all others: the run loop must stop in time for it. */
  onEarlierDeadline: () => void = () => {};
  private readonly source: () => number;
  private readonly wallAtStart: bigint;
  private readonly armed: Timer[] = [];
  private next = Number.POSITIVE_INFINITY;
  private nextTurn = 0;

  /**
   * @param source nanoseconds of guest time, never less than before.
   * @param wallAtStart wall-clock time of the guest at its start: nanoseconds since 1970.
   */
  constructor(source: () => number, wallAtStart: bigint) {
    this.source = source;
    this.wallAtStart = wallAtStart;
  }

  /** Nanoseconds of guest time; exact to 2^53 (104 days). */
  now(): number {
    return this.source();
  }

  /** Wall-clock time of the guest: nanoseconds since 1970. */
  wallNanoseconds(): bigint {
    return this.wallAtStart + BigInt(this.now());
  }

  /** Guest time at which the wall clock shows `wall`; clamped to what a number holds exactly. */
  atWall(wall: bigint): number {
    const guest = wall - this.wallAtStart;
    return guest < BigInt(Number.MAX_SAFE_INTEGER) ? Number(guest) : Number.POSITIVE_INFINITY;
  }

  timer(fire: () => void): Timer {
    return new Timer(this, fire);
  }

  /** The next deadline, or Infinity. */
  get deadline(): number {
    return this.next;
  }

  /** How many timers that are set have their turn before this one's. */
  rank(timer: Timer): number {
    return this.armed.filter(({ turn }) => turn < timer.turn).length;
  }

  /** Fires, in order of their deadlines, the timers whose moment has come. */
  runExpired(): void {
    while (this.next <= this.now()) {
      let due: Timer | undefined;
      for (const timer of this.armed) if (due === undefined || isBefore(timer, due)) due = timer;
      if (due === undefined) return;
      this.arm(due, Number.POSITIVE_INFINITY);
      due.fire();
    }
  }

  /** Sets or, with Infinity, cancels; use the timer's own methods. A timer that is set already keeps its turn. */
  arm(timer: Timer, deadline: number, turn?: number): void {
    const wasArmed = timer.deadline !== Number.POSITIVE_INFINITY;
    const isArmed = deadline !== Number.POSITIVE_INFINITY;
    timer.deadline = deadline;
    if (isArmed && !wasArmed) {
      this.armed.push(timer);
      timer.turn = this.nextTurn;
    } else if (wasArmed && !isArmed) {
      this.armed.splice(this.armed.indexOf(timer), 1);
    }
    if (turn !== undefined) timer.turn = turn;
    if (isArmed) this.nextTurn = Math.max(this.nextTurn, timer.turn + 1);
    const before = this.next;
    this.next = this.armed.reduce((least, each) => Math.min(least, each.deadline), Number.POSITIVE_INFINITY);
    if (this.next < before) this.onEarlierDeadline();
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.deadline < other.deadline || (one.deadline === other.deadline && one.turn < other.turn);
}
