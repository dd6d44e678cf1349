/** Three arms in one process, of which one runs at a time, for up to about a millisecond. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { ARMS, type Arm, type Form, type MetricDefinition, type PerArm } from "#results";
import type { Random } from "#results/statistics";
import { keepToProcessor } from "../runner/processors.ts";
import type { BootSlices } from "../suites/lockstep.ts";
import { type GuestCheck, perArm, type Question } from "../suites/measurement.ts";
import type { ArmAnswer, ArmData, ArmRequest, WorkOffer } from "./arm.ts";
import { BOOT_STEP, type BootFigures } from "./boots.ts";
import { ArmHangs, SharedTurn, WHOLE_SLICE } from "./shared.ts";
import { Turns } from "./turns.ts";

/** Length of a slice. Longer disturbances affect all arms alike; handing over the turn takes some 20 µs. */
export const SLICE_NANOSECONDS = 100_000;

/** Maximum number of rounds of calibration, and rounds without a change after which it ends. */
const CALIBRATION_ROUNDS = 40;
const SETTLED_ROUNDS = 4;

/** Maximum number of units in a slice, for work that takes next to no time. */
const MOST_UNITS = 2 ** 20;

export interface TrioOptions {
  /** JavaScript file that each arm runs. */
  readonly armEntry: URL;
  readonly forms: { readonly A: Form; readonly B: Form };
  readonly quick: boolean;
  /** Assigns arms to slots and orders turns. */
  readonly random: Random;
  /** The processor that all arms are kept to from the first slice on, see `processorOf`; null or absent: any. */
  readonly processor?: number | null;
  /** Milliseconds after which an arm that does not return from a slice is considered hung; default: two minutes. */
  readonly patience?: number;
}

/** The times of the slices of one metric by arm, in order, in nanoseconds per unit. */
export interface SlicedTimes {
  readonly definition: MetricDefinition;
  readonly times: PerArm<readonly number[]>;
}

export class Trio {
  /**
   * Arms in the order in which their isolates were created. Random, because the first was 2 to 4 % slower at some
   * works.
   */
  readonly slots: readonly Arm[];
  private readonly turn: SharedTurn;
  private readonly workers: readonly Worker[];
  private readonly random: Random;
  /** Where the arms are still to be kept to; null: they are, or may use any. */
  private processor: number | null;

  constructor({ armEntry, forms, quick, random, processor = null, patience }: TrioOptions) {
    this.processor = processor;
    this.turn = new SharedTurn(undefined, patience);
    this.random = random;
    this.slots = random.shuffled(ARMS);
    this.workers = this.slots.map((arm, slot) => {
      const data: ArmData = { buffer: this.turn.buffer, slot, form: arm === "B" ? forms.B : forms.A, quick };
      return new Worker(armEntry, { workerData: data });
    });
  }

  /**
   * Lets the arms do a work in turns.
   * @param extras fractions of extra work of arm B, by variant, the first 0; the variants alternate from turn to turn
   * @returns times by variant and metric
   */
  async measure(work: string, extras: readonly number[] = [0]): Promise<SlicedTimes[][]> {
    // Concurrently: nothing that is created or compiled now is timed.
    const answers = await this.requestAll({ kind: "prepare", work });
    const offers = answers.flatMap((answer) => (answer.kind === "prepared" ? [answer.offer] : []));
    const [offer] = offers;
    if (offer === undefined) throw new Error(`no arm prepared ${work}`);
    // Not before: the arms load their modules at once.
    if (this.processor !== null) keepToProcessor(this.processor);
    this.processor = null;
    const { led } = await this.perform(
      () => ({ kind: "perform", extras }),
      () => this.takeTurns(offer, this.calibrate(offers), extras.length),
    );
    await this.requestAll({ kind: "end" });
    return led;
  }

  /**
   * Boots a guest in all arms, slice by slice, as often as the time allows, but at least once.
   * @throws Error when the arms' boots do not have the same slices
   */
  async boot(guest: string, milliseconds: number): Promise<{ boots: BootSlices[]; checks: GuestCheck[] }> {
    const end = performance.now() + milliseconds;
    const { led, answers } = await this.perform(
      () => ({ kind: "boot", guest }),
      () => {
        const boots: BootSlices[] = [];
        do boots.push(this.bootOnce(guest));
        while (performance.now() < end);
        return boots;
      },
    );
    const checks = answers.flatMap((answer) => (answer.kind === "booted" ? answer.checks : []));
    return { boots: led, checks };
  }

  /**
   * Lets all arms perform while `lead` hands out the turns.
   * @throws Error with the arm's own message when one fails
   */
  private async perform<T>(
    requestOf: (arm: Arm) => ArmRequest,
    lead: () => T,
  ): Promise<{ readonly led: T; readonly answers: readonly ArmAnswer[] }> {
    this.turn.reset();
    const performances = Promise.all(this.slots.map((arm, slot) => this.request(slot, requestOf(arm))));
    performances.catch(() => {}); // `lead` throws first; without this, an unhandled rejection would end the process
    try {
      const led = lead();
      this.turn.dismiss();
      return { led, answers: await performances };
    } catch (error) {
      this.turn.dismiss();
      if (!(error instanceof ArmHangs)) await performances; // rejects with the reason of the arm that failed
      throw error;
    }
  }

  private bootOnce(guest: string): BootSlices {
    const turns = new Turns(this.random);
    const boot = { A: [] as BootFigures[], B: [] as BootFigures[], A2: [] as BootFigures[] };
    for (const arm of turns.next()) this.turn.hand(this.slotOf(arm), BOOT_STEP.begin, 0);
    for (let over = false; !over; ) {
      const ends = turns.next().map((arm) => {
        this.turn.hand(this.slotOf(arm), BOOT_STEP.slice, 0);
        const [nanoseconds = Number.NaN, phase = 0, last = 0] = this.turn.figures;
        boot[arm].push({ nanoseconds, phase, over: last !== 0 });
        return last !== 0;
      });
      over = ends.every(Boolean);
      if (!over && ends.some(Boolean))
        throw new Error(`${guest} ended in another slice in one arm than in the others`);
    }
    for (const arm of turns.next()) this.turn.hand(this.slotOf(arm), BOOT_STEP.finish, 0);
    return boot;
  }

  /** Sends all arms an untimed request, concurrently. */
  async ask(question: (arm: Arm) => Question): Promise<PerArm<unknown>> {
    const answers = await Promise.all(
      this.slots.map((arm, slot) => this.request(slot, { kind: "ask", question: question(arm) })),
    );
    return perArm((arm) => {
      const answer = answers[this.slotOf(arm)];
      if (answer?.kind !== "answer") throw new Error(`arm ${arm} gave no answer`);
      return answer.answer;
    });
  }

  async end(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  /** Finds how many units fill a slice. All arms make the same calls meanwhile: see `FIRST_CALLS`. */
  private calibrate(offers: readonly WorkOffer[]): number {
    const step = offers[0]?.step ?? 1;
    const turns = new Turns(this.random);
    let count = unitsOfSlice(
      offers.map(({ nanoseconds }) => nanoseconds),
      step,
    );
    for (let round = 0, settled = 0; round < CALIBRATION_ROUNDS && settled < SETTLED_ROUNDS; round++) {
      const times = turns.next().map((arm) => {
        this.turn.hand(this.slotOf(arm), count, 0);
        return (this.turn.figures[WHOLE_SLICE] as number) / count;
      });
      const next = Math.min(unitsOfSlice(times, step), 2 * count);
      settled = next === count ? settled + 1 : 0;
      count = next;
    }
    return count;
  }

  private takeTurns(
    { metrics, warmUpSlices, slices }: WorkOffer,
    count: number,
    variants: number,
  ): SlicedTimes[][] {
    const turns = new Turns(this.random);
    const times = Array.from({ length: variants }, () =>
      metrics.map((definition) => ({
        definition,
        times: { A: [] as number[], B: [] as number[], A2: [] as number[] },
      })),
    );
    const { turn } = this;
    // Each variant of the self-test gets as many slices as in a run.
    for (let round = -warmUpSlices; round < slices * variants; round++) {
      const variant = (round + warmUpSlices) % variants;
      for (const arm of turns.next()) {
        // All arms do extra work while V8 compiles: code that has never done it is another code, and faster or slower.
        turn.hand(this.slotOf(arm), count, round < 0 || arm === "B" ? variant : 0);
        if (round < 0) continue;
        times[variant]?.forEach((metric, i) => {
          metric.times[arm].push(turn.figures[i] as number);
        });
      }
    }
    return times;
  }

  private slotOf(arm: Arm): number {
    return this.slots.indexOf(arm);
  }

  private requestAll(request: ArmRequest): Promise<ArmAnswer[]> {
    return Promise.all(this.slots.map((_, slot) => this.request(slot, request)));
  }

  /** @throws Error when the arm fails */
  private async request(slot: number, request: ArmRequest): Promise<ArmAnswer> {
    const worker = this.workers[slot];
    if (worker === undefined) throw new RangeError("one worker per slot");
    worker.postMessage(request);
    const [answer] = (await once(worker, "message")) as [ArmAnswer]; // `runArm` sends nothing else
    if (answer.kind === "failed") throw new Error(`arm ${this.slots[slot]}: ${answer.error}`);
    return answer;
  }
}

/** @param nanoseconds of one unit, arm by arm */
function unitsOfSlice(nanoseconds: readonly number[], step: number): number {
  const sorted = [...nanoseconds].sort((a, b) => a - b);
  const middle = sorted[1] ?? sorted[0] ?? SLICE_NANOSECONDS;
  return step * Math.max(1, Math.round(Math.min(SLICE_NANOSECONDS / middle, MOST_UNITS) / step));
}
