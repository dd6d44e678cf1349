/**
 * Entry point of every counted process: does the works that its request names, with a mark before and after every
 * counted step, and reports only their results. Loads a single device tree. Not to be run by hand.
 */
import { existsSync, writeFileSync } from "node:fs";
import { getPriority } from "node:os";
import { loadHardware } from "#machine";
import {
  type CountReport,
  type CountRequest,
  type DoneWork,
  EMPTY_INTERVALS,
  READY,
  REPORT_FD,
} from "./request.ts";
import { churn, prepareWork } from "./works.ts";

const mark = getPriority;

void main();

async function main(): Promise<void> {
  const [, , given = "null", go = ""] = process.argv; // our own parent wrote them
  const { form, works } = JSON.parse(given) as CountRequest;
  const hardware = await loadHardware(form);
  const prepared = works.map((work) => ({ ...work, work: prepareWork(work.name, form, hardware) }));
  for (const { work, warmUp } of prepared) {
    for (let round = 0; round < warmUp; round++) {
      work.prepare?.();
      for (const step of work.steps) step();
    }
  }
  writeFileSync(REPORT_FD, READY);
  while (!existsSync(go)); // busy waiting, because valgrind handles requests only while code runs
  let churned = 1;
  const done = prepared.map(({ name, work, rounds, plant = [] }): DoneWork => {
    for (let round = 0; round < rounds; round++) {
      work.prepare?.();
      mark();
      work.steps.forEach((step, i) => {
        step();
        const more = plant[i] ?? 0;
        if (more > 0) churned = churn(churned, more);
        mark();
      });
    }
    return { name, rounds, check: work.check() };
  });
  for (let i = 0; i <= EMPTY_INTERVALS; i++) mark();
  if (churned === 0) throw new Error("the planted work has got stuck");
  const report: CountReport = { works: done };
  writeFileSync(REPORT_FD, `${JSON.stringify(report)}\n`);
}
