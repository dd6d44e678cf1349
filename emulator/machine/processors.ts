import type { InterruptCause, RiscvHart } from "#cpu/riscv";
import { loadFields, type Restore, type SavedValue, saveFields, type VmStateFields } from "#qdev";
import { QomError } from "#qom";

/** Instructions per turn of a hart, if nothing ends the turn earlier. */
const TURN = 10_000;
/** Instructions that a single hart executes before control returns to the host. */
const SLICE = 1_000_000;
/** The same while instructions are traced, which takes a hundred times as long. */
const TRACED_SLICE = 10_000;

/**
 * The harts of a machine, executed one at a time, in turn. A turn ends after a fixed number of instructions, or when
 * its hart waits for an interrupt, pauses, or interrupts another hart, which then runs next. All of these depend on the
 * guest alone, so that the schedule does not depend on where a run was stopped: runs are deterministic.
 *
 * All harts share one guest time, which counts the instructions of all of them, so that it never goes back and is exact
 * at every device access. Busy harts share the speed of one; waiting harts take nothing from the others.
 */
export class Processors {
  private static readonly vmFields = {
    turn: "uint32",
    next: "uint32",
    left: "int",
  } as const satisfies VmStateFields;

  /** At least one. */
  readonly harts: readonly RiscvHart[];
  private current: RiscvHart;
  /** Number of the hart whose turn is next, unless it waits. */
  private next = 0;
  /** Instructions left in this turn. */
  private left = 0;
  /** Harts that a debugger holds: they execute nothing. */
  held: ReadonlySet<RiscvHart> = new Set();
  /** Runs harts in place of their own loop while instructions are traced. */
  tracer: { run(hart: RiscvHart, maxInstructions: number): void } | null = null;

  constructor(first: RiscvHart, ...others: readonly RiscvHart[]) {
    this.harts = [first, ...others];
    this.current = first;
  }

  /** Instructions executed since the latest reset, by all harts. */
  get retired(): number {
    let sum = 0;
    for (const hart of this.harts) sum += hart.retired;
    return sum;
  }

  /** Whether all harts wait for interrupts, or are held. */
  get waiting(): boolean {
    return this.harts.every((hart) => hart.waiting || this.held.has(hart));
  }

  /** Resets all harts, to start at an address. */
  reset(pc: number): void {
    for (const hart of this.harts) hart.reset(pc);
    this.next = 0;
    this.left = 0;
  }

  /** Executes one turn, or as much of it as `maxInstructions` allows. */
  run(maxInstructions: number): void {
    if (this.harts.length === 1) {
      const slice = this.tracer === null ? SLICE : TRACED_SLICE;
      this.execute(this.current, Math.min(slice, maxInstructions));
      return;
    }
    if (this.left <= 0 || this.current.waiting || this.held.has(this.current)) this.beginTurn();
    const hart = this.current;
    if (this.held.has(hart)) return; // no other hart can run
    const before = hart.retired;
    this.execute(hart, Math.min(this.left, maxInstructions));
    this.left -= hart.retired - before;
  }

  private execute(hart: RiscvHart, maxInstructions: number): void {
    if (this.tracer === null) hart.run(maxInstructions);
    else this.tracer.run(hart, maxInstructions);
  }

  /** Begins a turn of this hart, which must not be waiting, for a debugger that steps it. */
  select(hart: RiscvHart): void {
    if (hart === this.current) return;
    this.current.clearReservation();
    this.current = hart;
    this.next = (hart.hartId + 1) % this.harts.length;
    this.left = TURN;
  }

  /** Number of the hart whose turn it is. */
  get turn(): number {
    return this.harts.indexOf(this.current);
  }

  set turn(index: number) {
    this.current = this.harts[index] ?? this.current;
  }

  /** State for a snapshot, in addition to the harts themselves: whose turn it is, and how much of it is left. */
  save(): SavedValue {
    return saveFields(this, Processors.vmFields);
  }

  /** @throws QomError when `saved` did not come from `save`. */
  load(saved: SavedValue): Restore[] {
    const steps = loadFields(this, Processors.vmFields, saved, "turns");
    const { turn, next } = saved as { readonly turn: number; readonly next: number }; // as just checked
    if (Math.max(turn, next) >= this.harts.length)
      throw new QomError("turns holds a hart that does not exist");
    return steps;
  }

  private beginTurn(): void {
    const { harts } = this;
    for (let step = 0; step < harts.length; step++) {
      const index = (this.next + step) % harts.length;
      const hart = harts[index];
      if (hart === undefined || hart.waiting || this.held.has(hart)) continue;
      // Other harts may now write to the address that it has reserved.
      if (hart !== this.current) this.current.clearReservation();
      this.current = hart;
      this.next = (index + 1) % harts.length;
      break;
    }
    this.left = TURN;
  }

  /** Makes `run` return after the current instruction, without ending the turn. */
  leave(): void {
    this.current.requestExit();
  }

  /** Drives an interrupt line of a hart. A hart whose line is raised runs next, unless it is running now. */
  setInterrupt(index: number, cause: InterruptCause, level: boolean): void {
    this.harts[index]?.setInterrupt(cause, level);
    if (level) this.attend(index);
  }

  /** The timer has reached the supervisor's comparator of a hart. */
  timeReached(index: number): void {
    this.harts[index]?.timeReached();
    this.attend(index);
  }

  /** The current hart pauses: lets the others run first. */
  yield(): void {
    this.endTurn();
  }

  private attend(index: number): void {
    if (this.harts[index] === this.current) return;
    this.next = index;
    this.endTurn();
  }

  private endTurn(): void {
    if (this.harts.length === 1) return;
    this.left = 0;
    this.current.requestExit();
  }
}
