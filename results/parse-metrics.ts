/** Reads the figures of a stored run one by one; `check-evidence.ts` checks that they follow from each other. */

import type { JsonReader } from "./reader.ts";
import { metricKey, questionKey } from "./rows.ts";
import { LEAST_PROCESSES } from "./rules/judge.ts";
import { termsOf } from "./rules/margins.ts";
import {
  ARMS,
  type Comparison,
  type Distribution,
  type Effect,
  type Interval,
  type Metric,
  type MetricDefinition,
  type MetricIdentity,
  type Omission,
  OUTLIER_CLASSES,
  type PerArm,
  QUANTITIES,
  ROLES,
  type Schedule,
  SOURCES,
  SUITES,
  VERDICTS,
} from "./schema.ts";

/** Relative tolerance for points of a distribution that should be equal: they were rounded. */
const TOLERANCE = 1e-6;

export function readIdentity(r: JsonReader): MetricIdentity {
  return {
    suite: r.at("suite").oneOf(SUITES),
    workload: r.at("workload").string(),
    name: r.at("name").string(),
    quantity: r.at("quantity").oneOf(QUANTITIES),
    source: r.at("source").oneOf(SOURCES),
  };
}

export function readOmission(r: JsonReader): Omission {
  return {
    ...readIdentity(r),
    role: r.at("role").oneOf(ROLES),
    decides: r.at("decides").boolean(),
    reason: r.at("reason").string(),
  };
}

/** @param schedule the processes that the samples come from */
export function readMetric(r: JsonReader, { processes }: Schedule): Metric {
  const definition = readDefinition(r);
  const samples = perArm(r.at("samples"), (arm) => arm.array((item) => readSample(item, definition)));
  const metric: Metric = {
    ...definition,
    samples,
    processes: readPlaces(r.at("processes"), processes),
    distributions: perArm(r.at("distributions"), (arm) =>
      arm.array((item) => readDistribution(item, definition)),
    ),
    outliers: perArm(r.at("outliers"), (arm) => arm.array((item) => item.oneOf(OUTLIER_CLASSES))),
    comparison: readComparison(r.at("comparison")),
  };
  checkLengths(r, metric);
  return metric;
}

function readDefinition(r: JsonReader): MetricDefinition {
  const identity = readIdentity(r);
  const { units, scale, margin } = termsOf(identity);
  const given = r.at("margin").amount();
  if (given !== margin) r.at("margin").fail(`${margin}, the margin of all such figures`);
  return {
    ...identity,
    description: r.at("description").string(),
    unit: r.at("unit").oneOf(units),
    scale: r.at("scale").oneOf([scale]),
    margin,
    role: r.at("role").oneOf(ROLES),
    estimator: r.at("estimator").string(),
    decides: r.at("decides").boolean(),
    byConstruction: r.at("byConstruction").nullable((item) => item.string()),
  };
}

/** Times are positive, and so is what is compared in percent; counts and reads may be 0; slopes may be negative. */
function readSample(r: JsonReader, { quantity, scale }: MetricDefinition): number {
  if (scale === "percent") return r.positive();
  switch (quantity) {
    case "time":
      return r.positive();
    case "count":
    case "reads":
      return r.amount();
    case "memory":
      return r.number();
  }
}

/** Each process gives a metric at most one sample, so that intervals are over processes. */
function readPlaces(r: JsonReader, processes: Schedule["processes"]): number[] {
  const seen = new Set<number>();
  return r.array((item) => {
    const index = item.count();
    const process = processes[index];
    if (process === undefined) return item.fail(`the index of one of ${processes.length} processes`);
    if (process.lost !== null) return item.fail("the index of a process that was not lost");
    if (seen.has(index)) return item.fail("a process that has no other sample in this metric");
    seen.add(index);
    return index;
  });
}

function checkLengths(r: JsonReader, { samples, processes, distributions, outliers }: Metric): void {
  const places = samples.A.length;
  if (places < LEAST_PROCESSES) r.at("samples").at("A").fail("at least two samples, which a spread needs");
  if (processes.length !== places) r.at("processes").fail(`${places} items, one per sample of A`);
  const summarized = ARMS.some((arm) => distributions[arm].length > 0);
  for (const arm of ARMS) {
    if (samples[arm].length !== places) r.at("samples").at(arm).fail(`${places} items, as many as A has`);
    if (outliers[arm].length !== places) r.at("outliers").at(arm).fail(`${places} items, one per sample`);
    if (summarized && distributions[arm].length !== places) {
      r.at("distributions").at(arm).fail(`${places} items, one per sample, or none in all arms`);
    }
  }
}

/** Points of a distribution, in ascending order. */
const POINTS = ["min", "q1", "median", "q3", "p99", "max"] as const;

function readDistribution(r: JsonReader, definition: MetricDefinition): Distribution {
  const point = (name: (typeof POINTS)[number]) => readSample(r.at(name), definition);
  const distribution: Distribution = {
    count: r.at("count").count(),
    min: point("min"),
    q1: point("q1"),
    median: point("median"),
    q3: point("q3"),
    p99: point("p99"),
    max: point("max"),
  };
  for (const [i, name] of POINTS.entries()) {
    const below = POINTS[i - 1];
    // Points interpolated between two samples are rounded.
    const slack = below === undefined ? 0 : TOLERANCE * Math.abs(distribution[below]);
    if (below !== undefined && distribution[name] < distribution[below] - slack) {
      r.at(name).fail(`at least ${below}, ${distribution[below]}`);
    }
  }
  return distribution;
}

function readComparison(r: JsonReader): Comparison {
  return {
    ab: readEffect(r.at("ab")),
    aa: readEffect(r.at("aa")),
    aaSpread: r.at("aaSpread").amount(),
    verdict: r.at("verdict").oneOf(VERDICTS),
    aaVerdict: r.at("aaVerdict").oneOf(VERDICTS),
    reason: r.at("reason").nullable((item) => item.string()),
    machines: r.at("machines").nullable((item) => item.string()),
  };
}

function readEffect(r: JsonReader): Effect {
  const figures = r.at("figures");
  return {
    ...readInterval(r),
    level: r.at("level").level(),
    pairs: r.at("pairs").count(),
    above: r.at("above").count(),
    pValue: r.at("pValue").probability(),
    adjustedPValue: r.at("adjustedPValue").probability(),
    figures: { a: figures.at("a").number(), b: figures.at("b").number() },
  };
}

export function readInterval(r: JsonReader): Interval {
  const interval = {
    estimate: r.at("estimate").number(),
    low: r.at("low").number(),
    high: r.at("high").number(),
  };
  const { estimate, low, high } = interval;
  if (low > high) return r.fail("an interval whose low end is not above its high end");
  if (estimate < low || estimate > high) return r.at("estimate").fail(`a number from ${low} to ${high}`);
  return interval;
}

/**
 * Checks that no figure appears twice, that none is both present and missing, and that at most one figure of each
 * source decides a question.
 */
export function checkIdentities(
  metrics: readonly Metric[],
  omissions: readonly Omission[],
  r: JsonReader,
): void {
  const keys = new Set<string>();
  const deciding = new Set<string>();
  for (const [member, figures] of [
    ["metrics", metrics],
    ["omissions", omissions],
  ] as const) {
    for (const [i, figure] of figures.entries()) {
      const fail = (reason: string) => r.at(member).item(i).fail(reason);
      const key = metricKey(figure);
      if (keys.has(key)) fail(`a figure that appears only once; ${key} appears earlier`);
      keys.add(key);
      if (member === "omissions" || !figure.decides) continue;
      const question = `${questionKey(figure)} (${figure.source})`;
      if (deciding.has(question)) fail(`"decides": false, because another figure decides ${question}`);
      deciding.add(question);
    }
  }
}

export function perArm<T>(r: JsonReader, read: (reader: JsonReader) => T): PerArm<T> {
  return { A: read(r.at("A")), B: read(r.at("B")), A2: read(r.at("A2")) };
}
