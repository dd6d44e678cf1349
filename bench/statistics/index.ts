export { medianDifference, RESAMPLES } from "./bootstrap.ts";
export { type Centre, centreOf, LEVEL } from "./centre.ts";
export { classifyOutliers, median, summarize } from "./distribution.ts";
export { holm } from "./holm.ts";
export { type PairedDifference, pairedDifference } from "./paired.ts";
export { Random } from "./random.ts";
export { theilSenSlope } from "./slope.ts";
export { ALPHA, decide, judge, type Measured, repeatsNeeded } from "./verdict.ts";
