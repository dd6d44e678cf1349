/** One arm: a separate isolate, which loads one device tree and does its slices when it is its turn. */
import { parentPort, workerData } from "node:worker_threads";
import { Bench } from "tinybench";
import type { Form, MetricDefinition } from "#results";
import type { GuestCheck, Question } from "../suites/measurement.ts";
import { BOOT_STEP, type BootingWork } from "./boots.ts";
import { plantedSlice } from "./planted.ts";
import { SharedTurn, WHOLE_SLICE } from "./shared.ts";
import type { SlicedWork } from "./work.ts";

/** The data that an arm is created with. */
export interface ArmData {
  readonly buffer: SharedArrayBuffer;
  readonly slot: number;
  readonly form: Form;
  readonly quick: boolean;
}

/** A request of the conductor; each is answered before the next. */
export type ArmRequest =
  | { readonly kind: "prepare"; readonly work: string }
  /** Take turns; `extras` are fractions of extra work by variant, for the self-test; the first is 0. */
  | { readonly kind: "perform"; readonly extras: readonly number[] }
  | { readonly kind: "end" }
  /** Boot a guest in turns, slice by slice. */
  | { readonly kind: "boot"; readonly guest: string }
  /** Do something outside of slices and answer with the result. */
  | { readonly kind: "ask"; readonly question: Question };

/** The answer of an arm. */
export type ArmAnswer =
  | { readonly kind: "prepared"; readonly offer: WorkOffer }
  | { readonly kind: "performed" | "ended" }
  | { readonly kind: "booted"; readonly checks: readonly GuestCheck[] }
  | { readonly kind: "answer"; readonly answer: unknown }
  | { readonly kind: "failed"; readonly error: string };

/** A prepared work, as the conductor sees it. */
export interface WorkOffer extends Pick<SlicedWork, "metrics" | "step" | "warmUpSlices" | "slices"> {
  readonly metrics: readonly MetricDefinition[];
  /** Nanoseconds per unit in the first calls, according to tinybench: the conductor's first guess of how many fill a slice. */
  readonly nanoseconds: number;
}

/** What an arm can do. */
export interface Repertoire {
  /** Makes a work by name. */
  make(work: string, data: ArmData): Promise<SlicedWork>;
  /** Makes the boot of a guest by name. */
  boot(guest: string, data: ArmData): Promise<BootingWork>;
  /** Answers a question outside of slices. */
  answer(question: Question, data: ArmData): Promise<unknown>;
}

/**
 * Number of calls before the first turn. Fixed, and not as many as fit some time: what V8 compiles and inlines depends on the calls
 * made, and arms that made different numbers could differ for the rest of their lives.
 */
const FIRST_CALLS = 16;

/** Runs an arm until its worker ends. */
export function runArm(repertoire: Repertoire): void {
  const port = parentPort;
  if (port === null)
    throw new Error("this file is an arm of a measured process; it is not to be run by hand");
  const data = workerData as ArmData; // our own conductor made it
  const turn = new SharedTurn(data.buffer);
  let work: SlicedWork | null = null;
  const handle = async (request: ArmRequest): Promise<ArmAnswer> => {
    switch (request.kind) {
      case "prepare": {
        work = await repertoire.make(request.work, data);
        const { metrics, step, warmUpSlices, slices } = work;
        const nanoseconds = await calibrate(work);
        return { kind: "prepared", offer: { metrics, step, warmUpSlices, slices, nanoseconds } };
      }
      case "perform": {
        const performed = work;
        if (performed === null) throw new Error("nothing is prepared");
        const { extras } = request;
        turn.perform(data.slot, (count, variant, figures) => {
          const started = performance.now();
          plantedSlice(performed, count, extras[variant] ?? 0, figures);
          figures[WHOLE_SLICE] = 1e6 * (performance.now() - started);
        });
        return { kind: "performed" };
      }
      case "end":
        work?.end?.();
        work = null;
        globalThis.gc?.(); // so that the next work does not pay for this garbage
        return { kind: "ended" };
      case "boot": {
        const checks: GuestCheck[] = [];
        const guest = await repertoire.boot(request.guest, data);
        turn.perform(data.slot, (step, _variant, figures) => {
          if (step === BOOT_STEP.begin) guest.begin();
          else if (step === BOOT_STEP.finish) checks.push(guest.finish());
          else {
            const { nanoseconds, phase, over } = guest.slice();
            figures[0] = nanoseconds;
            figures[1] = phase;
            figures[2] = over ? 1 : 0;
          }
        });
        return { kind: "booted", checks };
      }
      case "ask":
        return { kind: "answer", answer: await repertoire.answer(request.question, data) };
    }
  };
  port.on("message", (request: ArmRequest) => {
    void handle(request)
      .catch((error: unknown): ArmAnswer => {
        turn.fail();
        return { kind: "failed", error: stackOf(error) };
      })
      .then((answer) => port.postMessage(answer));
  });
}

/** Approximate time of one unit, which only determines the length of the first slices, the same in all arms. */
async function calibrate(work: SlicedWork): Promise<number> {
  const figures = new Float64Array(work.metrics.length);
  const bench = new Bench({
    time: 0,
    iterations: FIRST_CALLS,
    warmup: false,
    retainSamples: false,
    throws: true,
    timestampProvider: "hrtimeNow",
  });
  bench.add("a step", () => work.slice(work.step, figures), { async: false });
  const [task] = await bench.run();
  const result = task?.result;
  if (!result || !("latency" in result)) throw new Error("the work was not calibrated");
  return (1e6 * result.latency.p50) / work.step;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
