export { LEVEL, medianDifference, medianInterval, RESAMPLES } from "./bootstrap.ts";
export { classifyOutliers, median, summarize } from "./distribution.ts";
export { holm } from "./holm.ts";
export { type MannWhitney, mannWhitney } from "./mann-whitney.ts";
export { Random } from "./random.ts";
export { theilSenSlope } from "./slope.ts";
export { ALPHA, decide, judge, type Measured, repeatsNeeded } from "./verdict.ts";
