import type { InterruptCause, RiscvHart } from "#cpu/riscv";
import { loadFields, type Restore, type SavedValue, saveFields, type VmStateFields } from "#qdev";
import { QomError } from "#qom";

/** Instructions of a hart before the next one's turn, if nothing ends the turn earlier. */
const TURN = 10_000;
/** Instructions of a hart that is alone between two looks at what is not the guest. */
const SLICE = 1_000_000;
/** The same while each of them is traced, which takes a hundred times as long. */
const TRACED_SLICE = 10_000;

/**
 * The harts of a machine, executed one at a time, in turn. A turn ends after so many instructions, or when its hart waits
 * for an interrupt, pauses, or interrupts another hart, which is next then. All of these are the guest's own doing, so
 * that who executes when does not depend on where a run was stopped: runs repeat exactly.
 *
 * One guest time holds for all: it counts the instructions of all harts together, so that it never goes back and is exact
 * at every access to a device. Harts that are busy share the speed of one; those that wait take nothing from the others.
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
  /** Whose turn is next, unless it waits. */
  private next = 0;
  /** Instructions left in this turn. */
  private left = 0;
  /** Harts that execute nothing: a debugger lets only others run. */
  held: ReadonlySet<RiscvHart> = new Set();
  /** Executes in place of a hart's own loop, while instructions are traced. */
  tracer: { run(hart: RiscvHart, maxInstructions: number): void } | null = null;

  constructor(first: RiscvHart, ...others: readonly RiscvHart[]) {
    this.harts = [first, ...others];
    this.current = first;
  }

  /** Instructions executed since the latest reset, by all. */
  get retired(): number {
    let sum = 0;
    for (const hart of this.harts) sum += hart.retired;
    return sum;
  }

  /** Whether all of them wait for interrupts, or are held. */
  get waiting(): boolean {
    return this.harts.every((hart) => hart.waiting || this.held.has(hart));
  }

  /** Starts all of them at an address. */
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
    if (this.held.has(hart)) return; // none of the others has anything to do
    const before = hart.retired;
    this.execute(hart, Math.min(this.left, maxInstructions));
    this.left -= hart.retired - before;
  }

  private execute(hart: RiscvHart, maxInstructions: number): void {
    if (this.tracer === null) hart.run(maxInstructions);
    else this.tracer.run(hart, maxInstructions);
  }

  /** Begins a turn of this hart, which does not wait: for a debugger that steps it. */
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

  /** What a snapshot keeps, beside the harts themselves: whose turn it is, and how much of it is left. */
  save(): SavedValue {
    return saveFields(this, Processors.vmFields);
  }

  /** @throws QomError when `saved` is not what `save` answered. */
  load(saved: SavedValue): Restore[] {
    const steps = loadFields(this, Processors.vmFields, saved, "turns");
    const { turn, next } = saved as { readonly turn: number; readonly next: number }; // as just checked
    if (Math.max(turn, next) >= this.harts.length) throw new QomError("turns holds a hart that is not there");
    return steps;
  }

  private beginTurn(): void {
    const { harts } = this;
    for (let step = 0; step < harts.length; step++) {
      const index = (this.next + step) % harts.length;
      const hart = harts[index];
      if (hart === undefined || hart.waiting || this.held.has(hart)) continue;
      // Others may now write what it has reserved.
      if (hart !== this.current) this.current.clearReservation();
      this.current = hart;
      this.next = (index + 1) % harts.length;
      break;
    }
    this.left = TURN;
  }

  /** Comes back from `run` after the instruction being executed; the turn is not over. */
  leave(): void {
    this.current.requestExit();
  }

  /** Drives an interrupt of a hart, which is next if it is not its turn now. */
  setInterrupt(index: number, cause: InterruptCause, level: boolean): void {
    this.harts[index]?.setInterrupt(cause, level);
    if (level) this.attend(index);
  }

  /** The timer has reached what the supervisor's comparator of a hart waits for. */
  timeReached(index: number): void {
    this.harts[index]?.timeReached();
    this.attend(index);
  }

  /** A hart pauses: the others first. */
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
