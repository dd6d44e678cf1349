/**
 * Entry of every counted process: does the work that its request names so many times, and says nothing but what it came
 * to. Loads one device tree. Not for use by hand.
 */
import { writeFileSync } from "node:fs";
import { loadHardware } from "#machine";
import { type CountReport, type CountRequest, REPORT_FD } from "./request.ts";
import { prepareWork } from "./works.ts";

const request = JSON.parse(process.argv[2] ?? "null") as CountRequest; // our own parent wrote it
const { warmUp, rounds, mostRounds } = request;
const work = await prepareWork(request, () => loadHardware(request.form));
for (let round = 0; round < warmUp; round++) work.round();
for (let round = 0; round < rounds; round++) work.round();
for (let round = rounds; round < mostRounds; round++) work.pass?.();
const report: CountReport = { rounds, check: work.check() };
writeFileSync(REPORT_FD, JSON.stringify(report));
