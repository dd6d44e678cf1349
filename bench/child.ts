/** Entry of every measured process: conducts three arms through what its request says, and reports. Not for use by hand. */
import { reportTo } from "./runner/report-to.ts";
import type { ProcessRequest } from "./suites/measurement.ts";
import { conduct } from "./trio/conduct.ts";

const armEntry = new URL("./arm.js", import.meta.url);

await reportTo(process, (request) => conduct(request as ProcessRequest, armEntry)); // our own parent wrote it
