/** Entry of every measured process: does what its request says, once, and reports. Not for use by hand. */
import { reportTo } from "./runner/report-to.ts";
import type { SuiteReport, SuiteRequest } from "./suites/measurement.ts";

await reportTo(process, (request) => measure(request as SuiteRequest)); // our own parent wrote it

/** Loads the suite that is asked for, and with it one device tree, and nothing else. */
async function measure(request: SuiteRequest): Promise<SuiteReport> {
  switch (request.suite) {
    case "boot":
      return (await import("./suites/boot.ts")).measureBoot(request);
    case "dispatch":
      return (await import("./suites/dispatch.ts")).measureDispatch(request);
    case "retention":
      return (await import("./suites/retention.ts")).measureRetention(request);
  }
}
