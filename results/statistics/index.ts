export { medianDifference, RESAMPLES } from "./bootstrap.ts";
export { type Centre, centreOf, fewestForRanks, LEVEL } from "./centre.ts";
export { classifyOutliers, median, quantile, summarize } from "./distribution.ts";
export { holm } from "./holm.ts";
export { kruskalWallis } from "./kruskal-wallis.ts";
export { type PairedDifference, pairedDifference } from "./paired.ts";
export { Random } from "./random.ts";
export { isLook, type Look, lookOf, sequentialRule } from "./sequential.ts";
export { theilSenSlope } from "./slope.ts";
