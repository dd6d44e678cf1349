import { WORD } from "./layout.ts";
import type { HartState } from "./state.ts";

/** The progress of a hart, and what its run must handle between two instructions. */
export class Progress {
  /** In WFI. */
  sleeping = false;
  /** An interrupt may have become deliverable. */
  interruptsChanged = false;
  /** The memory map changed, perhaps by the instruction being executed, which still needs its record. */
  mapChanged = false;
  /** The run must end after the current instruction. */
  exitRequested = false;
  private readonly state: HartState;
  /** Value of `retired` when `remaining` reaches zero. */
  private limit = 0;

  constructor(state: HartState) {
    this.state = state;
  }

  reset(): void {
    this.limit = 0;
    this.trapped = 0;
    this.sleeping = false;
    this.interruptsChanged = true;
  }

  /** Instructions that ended in an exception, since reset: below 2^53. Generated code counts here, too. */
  get trapped(): number {
    return this.state.number(WORD.trapped);
  }

  set trapped(count: number) {
    this.state.setNumber(WORD.trapped, count);
  }

  /** Instructions executed since reset, exact at all times; the current one does not count yet. */
  get retired(): number {
    return this.limit - this.state.low(WORD.remaining);
  }

  /** Allows `instructions` more, after `now` have been executed. */
  allow(now: number, instructions: number): void {
    this.state.words[WORD.remaining] = instructions;
    this.limit = now + instructions;
  }

  countOne(): void {
    this.state.words[WORD.remaining] = this.state.low(WORD.remaining) - 1;
  }

  /** Whether generated code may continue with the next instruction. */
  get goesOn(): boolean {
    return (
      this.state.low(WORD.remaining) > 0 &&
      !this.interruptsChanged &&
      !this.mapChanged &&
      !this.exitRequested &&
      !this.sleeping
    );
  }
}
