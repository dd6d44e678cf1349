import { setImmediate, setTimeout } from "node:timers/promises";
import type { Terminal } from "#backends";
import { CommandError } from "#host";
import type { DebugStop, Emulation, RunEnd } from "./emulation.ts";

/** Why a machine is paused: on request, or at a breakpoint or watchpoint. */
export type Pause = { readonly kind: "request" } | { readonly kind: "debug"; readonly stop: DebugStop };

/** Something that consumes what the run produces, at a pace of its own. */
export interface Outlet {
  /** What to await before giving it more; null: nothing. @throws CommandError when it accepts no more */
  congestion(): Promise<void> | null;
}

/** Longest time that a waiting machine sleeps before it checks for requests. */
const LONGEST_WAIT_MS = 50;
/** The same if input may come from the host's sockets. */
const LONGEST_WAIT_FOR_HOST_MS = 5;

/**
 * A run that can be stopped and continued from outside, by a user at the monitor or by a debugger. Between two steps of
 * the machine, all of its state may be inspected and changed.
 */
export class RunControl {
  readonly emulation: Emulation;
  /** Set if a debugger may resume the machine: the run then does not end when the guest is idle. */
  held = false;
  private readonly maxInstructions: number;
  private readonly outlets: readonly Outlet[];
  private readonly listeners = new Set<(pause: Pause) => void>();
  /** Why an outlet accepts no more, which ends the run: what else is written is kept. Null: none has refused. */
  failure: CommandError | null = null;
  private stopped = false;
  private ended: RunEnd | null = null;
  private wake: () => void = () => {};

  /**
   * @param maxInstructions number of instructions at which the run ends
   * @param outlets what the guest waits for when it falls behind, in addition to the terminal
   */
  constructor(
    emulation: Emulation,
    maxInstructions = Number.POSITIVE_INFINITY,
    outlets: readonly Outlet[] = [],
  ) {
    this.emulation = emulation;
    this.maxInstructions = maxInstructions;
    this.outlets = outlets;
  }

  /** Whether the machine is paused. */
  get paused(): boolean {
    return this.stopped;
  }

  /** Calls `listener` whenever the machine stops. Returns a function that unsubscribes it. */
  onPause(listener: (pause: Pause) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  stop(): void {
    if (!this.stopped) this.pause({ kind: "request" });
  }

  continue(): void {
    this.stopped = false;
    this.wake();
  }

  /** Ends the run. */
  quit(): void {
    this.endWith("stopped");
  }

  /** Ends the run for the given reason, such as the result of a step made elsewhere. */
  endWith(end: RunEnd): void {
    this.ended = end;
    this.wake();
  }

  private pause(pause: Pause): void {
    this.stopped = true;
    for (const listener of this.listeners) listener(pause);
  }

  /** Waits for what must come before the first step; returns why the run was asked to end first, or null. @throws what it throws */
  async waitFor(wait: Promise<unknown>): Promise<RunEnd | null> {
    const come = wait.then(() => null);
    come.catch(() => {}); // it may fail later, when nobody waits any more
    const isAsked = async (): Promise<RunEnd> => {
      while (this.ended === null) await this.asked();
      return this.ended;
    };
    return await Promise.race([come, isAsked()]);
  }

  /** Runs with `terminal` as the console, until the machine ends. */
  async run(terminal: Terminal): Promise<RunEnd> {
    const { emulation } = this;
    for (;;) {
      if (this.ended !== null) return this.ended;
      if (this.stopped) {
        terminal.flush();
        if (!(await this.waitToContinue(terminal))) return "stopped";
        continue;
      }
      const end = emulation.step(this.maxInstructions);
      terminal.flush();
      await this.outletsReady(terminal);
      if (end === "debug" && emulation.debugStop !== null) {
        this.pause({ kind: "debug", stop: emulation.debugStop });
        continue;
      }
      if (end !== null) return end;
      if (emulation.waiting && !(await this.waitForEvent(terminal))) return "idle";
      await setImmediate(); // lets input arrive
    }
  }

  /** Lets a stopped machine wait for the monitor or a debugger. False, with a failure, if neither can be heard. */
  private async waitToContinue(terminal: Terminal): Promise<boolean> {
    if (this.held || terminal.open) {
      await terminal.inputOr(Number.POSITIVE_INFINITY, this.asked());
      return true;
    }
    this.failure ??= new CommandError(
      "the machine is stopped and standard input has ended, so nobody can continue it; send Ctrl-A C and cont, or give --gdb",
    );
    return false;
  }

  /** Lets readers that have fallen behind catch up: the guest is paused meanwhile, so that output does not pile up. */
  private async outletsReady(terminal: Terminal): Promise<void> {
    for (const outlet of [terminal, ...this.outlets]) {
      try {
        for (let wait = outlet.congestion(); wait !== null && this.ended === null; wait = outlet.congestion())
          await Promise.race([wait, this.asked()]);
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        this.failure ??= error;
        this.quit();
      }
    }
  }

  /** Resolves when the run is asked to continue or to end. */
  private asked(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  /** Lets the guest wait for its next deadline, or for input. False if neither will come. */
  private async waitForEvent(terminal: Terminal): Promise<boolean> {
    const { emulation } = this;
    const { untilDeadline } = emulation;
    const { reachesHost } = emulation.attached;
    if (!terminal.interactive && !reachesHost && emulation.skipIdle()) return true;
    if (untilDeadline === Number.POSITIVE_INFINITY && !terminal.open && !reachesHost) {
      if (this.held) await setTimeout(LONGEST_WAIT_MS);
      return this.held;
    }
    const started = performance.now();
    const longest = reachesHost
      ? LONGEST_WAIT_FOR_HOST_MS
      : this.held
        ? LONGEST_WAIT_MS
        : Number.POSITIVE_INFINITY;
    await terminal.inputOr(Math.min(untilDeadline / 1e6, longest), this.asked());
    emulation.skipIdle(Math.min((performance.now() - started) * 1e6, untilDeadline));
    return true;
  }
}
