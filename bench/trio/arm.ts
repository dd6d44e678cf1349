/** One arm: an isolate of its own, which loads one device tree and does its slices when it is its turn. */
import { parentPort, workerData } from "node:worker_threads";
import { Bench } from "tinybench";
import type { Form, MetricDefinition } from "#results";
import type { GuestCheck, Question } from "../suites/measurement.ts";
import { BOOT_STEP, type BootingWork } from "./boots.ts";
import { SharedTurn, WHOLE_SLICE } from "./shared.ts";
import type { SlicedWork } from "./work.ts";

/** What an arm is made with. */
export interface ArmData {
  readonly buffer: SharedArrayBuffer;
  readonly slot: number;
  readonly form: Form;
  readonly quick: boolean;
}

/** What the conductor asks for, one at a time; each is answered before the next. */
export type ArmRequest =
  | { readonly kind: "prepare"; readonly work: string }
  /** Take turns; the parts of more work, by variant, are for the self-test. */
  | { readonly kind: "perform"; readonly extras: readonly number[] }
  | { readonly kind: "end" }
  /** Boot a guest by turns, slice by slice. */
  | { readonly kind: "boot"; readonly guest: string }
  /** Do something that is no slice, and answer with what came of it. */
  | { readonly kind: "ask"; readonly question: Question };

/** Its answers. */
export type ArmAnswer =
  | { readonly kind: "prepared"; readonly offer: WorkOffer }
  | { readonly kind: "performed" | "ended" }
  | { readonly kind: "booted"; readonly checks: readonly GuestCheck[] }
  | { readonly kind: "answer"; readonly answer: unknown }
  | { readonly kind: "failed"; readonly error: string };

/** A prepared work, as the conductor sees it. */
export interface WorkOffer extends Pick<SlicedWork, "metrics" | "step" | "warmUpSlices" | "slices"> {
  readonly metrics: readonly MetricDefinition[];
  /** Nanoseconds that one unit takes before it is compiled, by tinybench: from there the conductor finds how many fill a slice. */
  readonly nanoseconds: number;
}

/** What an arm can do. */
export interface Repertoire {
  /** Makes the work of that name. */
  make(work: string, data: ArmData): Promise<SlicedWork>;
  /** The guest of that name, to be booted. */
  boot(guest: string, data: ArmData): Promise<BootingWork>;
  /** Answers what is no slice. */
  answer(question: Question, data: ArmData): Promise<unknown>;
}

/**
 * Calls before the first turn. Their number is fixed, not their time: what V8 compiles, and inlines, follows from the calls made,
 * and arms that had made different ones stayed apart by half for as long as they lived.
 */
const FIRST_CALLS = 16;

/** The life of an arm; ends with its worker. */
export function runArm(repertoire: Repertoire): void {
  const port = parentPort;
  if (port === null) throw new Error("this file is an arm of a benchmark's process; it is not run by hand");
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
          performed.slice(count, extras[variant] ?? 0, figures);
          figures[WHOLE_SLICE] = 1e6 * (performance.now() - started);
        });
        return { kind: "performed" };
      }
      case "end":
        work?.end?.();
        work = null;
        globalThis.gc?.(); // what comes next does not pay for what was
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

/** Time of one unit, roughly: it decides how long the first slices are, alike in all arms, and nothing else. */
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
  bench.add("a step", () => work.slice(work.step, 0, figures), { async: false });
  const [task] = await bench.run();
  const result = task?.result;
  if (!result || !("latency" in result)) throw new Error("the work was not calibrated");
  return (1e6 * result.latency.p50) / work.step;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
