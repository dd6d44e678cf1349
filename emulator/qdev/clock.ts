/** Calls a function at a given guest time. */
export class Timer {
  /** Nanoseconds of guest time; Infinity while not set. */
  deadline = Number.POSITIVE_INFINITY;
  /** Order among timers with the same deadline: the lowest, which was set first, fires first. */
  turn = 0;
  readonly fire: () => void;
  private readonly clock: Clock;

  constructor(clock: Clock, fire: () => void) {
    this.clock = clock;
    this.fire = fire;
  }

  /** Sets it to fire at `deadline`, in nanoseconds of guest time; if that is past, the run loop fires it at once. */
  set(deadline: number): void {
    this.clock.arm(this, deadline);
  }

  cancel(): void {
    this.clock.arm(this, Number.POSITIVE_INFINITY);
  }

  /** The state for a snapshot; null while not set. */
  save(): { readonly deadline: number; readonly turn: number } | null {
    const { deadline } = this;
    return deadline === Number.POSITIVE_INFINITY ? null : { deadline, turn: this.clock.rank(this) };
  }

  /** Sets the timer from saved state. */
  restore(deadline: number, turn: number): void {
    this.clock.arm(this, deadline, turn);
  }
}

/**
 * Guest time: nanoseconds since the machine was created, supplied by whatever runs the processor: an instruction count,
 * so that runs repeat exactly, or a test that advances it.
 */
export class Clock {
  /** Called when a new earliest deadline was set, so that the run loop stops in time for it. */
  onEarlierDeadline: () => void = () => {};
  private readonly source: () => number;
  private readonly wallAtStart: bigint;
  private readonly armed: Timer[] = [];
  private next = Number.POSITIVE_INFINITY;
  private nextTurn = 0;

  /**
   * @param source nanoseconds of guest time; never decreases.
   * @param wallAtStart the guest's wall-clock time at the start, in nanoseconds since 1970; before that, modulo 2^64,
   *   as clocks of the board count.
   */
  constructor(source: () => number, wallAtStart: bigint) {
    this.source = source;
    this.wallAtStart = BigInt.asUintN(64, wallAtStart);
  }

  /** Nanoseconds of guest time; exact up to 2^53 (104 days). */
  now(): number {
    return this.source();
  }

  /** The guest's wall-clock time, in nanoseconds since 1970. */
  wallNanoseconds(): bigint {
    return this.wallAtStart + BigInt(this.now());
  }

  /** Guest time at which the wall clock reads `wall`; Infinity if a number cannot hold it exactly. */
  atWall(wall: bigint): number {
    const guest = wall - this.wallAtStart;
    return guest < BigInt(Number.MAX_SAFE_INTEGER) ? Number(guest) : Number.POSITIVE_INFINITY;
  }

  timer(fire: () => void): Timer {
    return new Timer(this, fire);
  }

  /** The earliest deadline, or Infinity. */
  get deadline(): number {
    return this.next;
  }

  /** Number of active timers whose turn comes before this one's. */
  rank(timer: Timer): number {
    return this.armed.filter(({ turn }) => turn < timer.turn).length;
  }

  /** Fires all expired timers, in order of their deadlines. */
  runExpired(): void {
    while (this.next <= this.now()) {
      let due: Timer | undefined;
      for (const timer of this.armed) if (due === undefined || isBefore(timer, due)) due = timer;
      if (due === undefined) return;
      this.arm(due, Number.POSITIVE_INFINITY);
      due.fire();
    }
  }

  /** Sets or, with Infinity, cancels a timer, whose own methods call this. A timer already set keeps its turn. */
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
