/** Entry point of every measured process: runs its request in three arms and reports. Not to be run by hand. */
import { reportTo } from "./runner/report-to.ts";
import type { ProcessRequest } from "./suites/measurement.ts";
import { conduct } from "./trio/conduct.ts";

const armEntry = new URL("./arm.js", import.meta.url);

void reportTo(process, (request) => conduct(request as ProcessRequest, armEntry)); // our own parent wrote it
