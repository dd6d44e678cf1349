import { WORD } from "./layout.ts";
import type { HartState } from "./state.ts";

/** How far a hart has come, and what its run has to look at between two instructions. */
export class Progress {
  /** Instructions that ended in an exception, since reset. */
  trapped = 0;
  /** In WFI. */
  sleeping = false;
  /** An interrupt may have become deliverable. */
  interruptsChanged = false;
  /** The memory map changed, perhaps by the instruction being executed, which still needs its record. */
  mapChanged = false;
  /** The run is to end after the instruction being executed. */
  exitRequested = false;
  private readonly state: HartState;
  /** What `retired` will be when `remaining` is zero. */
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

  /** Instructions executed since reset, exact at every moment; the current one does not count yet. */
  get retired(): number {
    return this.limit - this.state.low(WORD.remaining);
  }

  /** Allows so many instructions more, after `now` of them. */
  allow(now: number, instructions: number): void {
    this.state.words[WORD.remaining] = instructions;
    this.limit = now + instructions;
  }

  countOne(): void {
    this.state.words[WORD.remaining] = this.state.low(WORD.remaining) - 1;
  }

  /** Whether generated code may go on with the next instruction. */
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
