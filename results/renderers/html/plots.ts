import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import {
  ARMS,
  type Arm,
  type Interval,
  type Metric,
  type RetentionScenario,
  type Verdict,
} from "../../schema.ts";
import { formatSigned, metricTitle } from "../../words.ts";
import { Markup } from "./markup.ts";

/** Colour of each arm, as the style sheet names it. */
export const ARM_COLOUR: Readonly<Record<Arm, string>> = {
  A: "var(--arm-a)",
  B: "var(--arm-b)",
  A2: "var(--control)",
};

export interface IntervalRow {
  readonly label: string;
  readonly ab: Interval;
  readonly aa: Interval;
  readonly margin: number;
}

/** Draws into a document of its own: plots are text, made when the page is made. */
function draw(options: Plot.PlotOptions, label: string): Markup {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg = Plot.plot({
    ...options,
    document,
    className: "plot",
    style: { background: "none", fontFamily: "inherit", fontSize: "12px", overflow: "visible" },
  });
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  return new Markup(svg.outerHTML);
}

/**
 * Differences with their intervals, one row per metric: B against A in B's colour above, A against itself in grey below,
 * on the band of the margin. Rows that would leave the frame are cut at its edge and say so.
 *
 * @param width pixels; below 500 the labels stand above their rows instead of beside them
 * @param unit of the differences
 */
export function intervalPlot(
  rows: readonly IntervalRow[],
  width: number,
  unit: string,
  label: string,
): Markup {
  const narrow = width < 500;
  const reach = frame(rows);
  const cut = (value: number) => Math.max(-reach, Math.min(reach, value));
  const bar = (pick: (row: IntervalRow) => Interval) => ({
    x1: (row: IntervalRow) => cut(pick(row).low),
    x2: (row: IntervalRow) => cut(pick(row).high),
  });
  const y = (row: IntervalRow) => row.label;
  const shift = narrow ? 9 : 0;
  const ab = { y, stroke: ARM_COLOUR.B, dy: shift - 5 };
  const aa = { y, stroke: ARM_COLOUR.A2, dy: shift + 6 };
  const isCut = (row: IntervalRow) => Math.max(Math.abs(row.ab.low), Math.abs(row.ab.high)) > reach;
  const note = (row: IntervalRow) => `${formatSigned(row.ab.estimate)} ${unit}`;
  return draw(
    {
      width,
      height: rows.length * (narrow ? 58 : 42) + 50,
      marginLeft: narrow ? 6 : labelWidth(rows.map(y)),
      marginRight: 14,
      marginTop: 8,
      marginBottom: 40,
      x: {
        domain: [-reach, reach],
        label: `difference from A in ${unit}`,
        labelAnchor: "center",
        labelArrow: "none",
        ticks: narrow ? 5 : 9,
      },
      y: {
        domain: rows.map(y),
        label: null,
        axis: narrow ? null : "left",
        tickSize: 0,
        tickPadding: 10,
        padding: 0.15,
      },
      marks: [
        Plot.barX(rows, {
          y,
          x1: (row: IntervalRow) => cut(-row.margin),
          x2: (row: IntervalRow) => cut(row.margin),
          fill: "var(--band)",
          ...(narrow ? { insetTop: 17 } : {}),
        }),
        Plot.gridX({ strokeOpacity: 0.08 }),
        Plot.ruleX([0], { strokeOpacity: 0.55 }),
        Plot.ruleY(rows, { ...bar((row) => row.aa), ...aa, strokeWidth: 2 }),
        Plot.dot(rows, { x: (row: IntervalRow) => cut(row.aa.estimate), ...aa, fill: "var(--paper)", r: 3 }),
        Plot.ruleY(rows, { ...bar((row) => row.ab), ...ab, strokeWidth: 4, strokeLinecap: "round" }),
        Plot.dot(rows, { x: (row: IntervalRow) => cut(row.ab.estimate), ...ab, fill: ARM_COLOUR.B, r: 4.5 }),
        Plot.text(rows.filter(isCut), {
          x: (row: IntervalRow) => (row.ab.estimate < 0 ? -reach : reach),
          y,
          text: (row: IntervalRow) => `cut: ${note(row)}`,
          textAnchor: "middle",
          dx: narrow ? -46 : -40,
          dy: shift - 17,
          fill: "currentColor",
        }),
        ...(narrow
          ? [Plot.text(rows, { y, text: y, frameAnchor: "left", textAnchor: "start", dx: 2, dy: -18 })]
          : []),
      ],
    },
    label,
  );
}

/** Room for the longest label, in the 12 pixels of these plots. */
function labelWidth(labels: readonly string[]): number {
  return 20 + 6.6 * Math.max(...labels.map((label) => label.length));
}

/** Half width of a frame that shows most intervals whole: a single wild one must not flatten all others. */
function frame(rows: readonly IntervalRow[]): number {
  const reaches = rows
    .map(({ ab, aa, margin }) => Math.max(...[ab.low, ab.high, aa.low, aa.high, margin].map(Math.abs)))
    .sort((a, b) => a - b);
  const typical = reaches[Math.floor(0.75 * (reaches.length - 1))] ?? 1;
  return 1.08 * Math.min(reaches.at(-1) ?? 1, 2.5 * typical);
}

/** One dot per process and arm, the median as a line; outliers are ringed. */
export function stripPlot(metric: Metric, names: Readonly<Record<Arm, string>>): Markup {
  const dots = ARMS.flatMap((arm) =>
    metric.samples[arm].map((value, i) => ({ arm, value, outlier: metric.outliers[arm][i] ?? "none" })),
  );
  type Dot = (typeof dots)[number];
  const y = (dot: Dot) => names[dot.arm];
  const stroke = (dot: Dot) => ARM_COLOUR[dot.arm];
  return draw(
    {
      width: 320,
      height: 150,
      marginLeft: 104,
      marginRight: 14,
      marginTop: 6,
      marginBottom: 38,
      x: {
        ...stripScale(dots.map(({ value }) => value)),
        label: `${metric.unit}, one dot per process`,
        labelAnchor: "center",
        labelArrow: "none",
        ticks: 4,
      },
      y: { domain: ARMS.map((arm) => names[arm]), label: null, tickSize: 0, tickPadding: 8 },
      color: { type: "identity" },
      marks: [
        Plot.gridX({ strokeOpacity: 0.1, ticks: 4 }),
        Plot.dot(dots, { x: "value", y, fill: stroke, fillOpacity: 0.5, r: 3.5 }),
        Plot.dot(
          dots.filter(({ outlier }) => outlier !== "none"),
          {
            x: "value",
            y,
            stroke: "currentColor",
            r: (dot: Dot) => (dot.outlier === "severe" ? 8 : 6),
            fill: "none",
          },
        ),
        Plot.tickX(dots, Plot.groupY({ x: "median" }, { x: "value", y, stroke, strokeWidth: 2.5 })),
      ],
      r: { type: "identity" },
    },
    `${metricTitle(metric)} in ${metric.unit}: one dot per process, in rows ${Object.values(names).join(", ")}`,
  );
}

/** Values that agree to a thousandth get a scale around them; a scale of nothing would have ticks of ten digits. */
function stripScale(values: readonly number[]): { domain: [number, number] } | { nice: true } {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const least = 1e-3 * Math.max(Math.abs(low), Math.abs(high), 1e-9);
  return high - low > least ? { nice: true } : { domain: [low - 50 * least, high + 50 * least] };
}

/**
 * Heap in use against rounds, each process around its own median: a thin line per process, a thick one for their median
 * per arm. Lines of arms that agree lie on each other, so they differ in width.
 *
 * @param reach KiB up and down, the same for all scenarios, so that a leak looks like one
 */
export function slopePlot(scenario: RetentionScenario, reach: number): Markup {
  const points = ARMS.flatMap((arm) => heapPoints(scenario, arm));
  const stroke = (point: HeapLinePoint) => ARM_COLOUR[point.arm];
  const medians = (["A2", "A", "B"] as const).map((arm, i) =>
    Plot.line(
      points.filter((point) => point.arm === arm),
      Plot.groupX({ y: "median" }, { x: "round", y: "kib", z: "arm", stroke, strokeWidth: 6 - 2 * i }),
    ),
  );
  return draw(
    {
      width: 320,
      height: 220,
      marginLeft: 52,
      marginRight: 14,
      marginTop: 24,
      marginBottom: 38,
      x: { label: "rounds", labelAnchor: "center", labelArrow: "none", ticks: 4 },
      y: {
        label: "KiB around the median",
        labelArrow: "none",
        ticks: 5,
        domain: [-reach, reach],
        clamp: true,
      },
      color: { type: "identity" },
      marks: [
        Plot.gridY({ strokeOpacity: 0.1, ticks: 5 }),
        Plot.ruleY([0], { strokeOpacity: 0.5 }),
        Plot.line(points, { x: "round", y: "kib", z: "line", stroke, strokeWidth: 1, strokeOpacity: 0.3 }),
        ...medians,
      ],
    },
    `${scenario.scenario}: heap in use against rounds, one line per process; the table gives the slopes`,
  );
}

interface HeapLinePoint {
  readonly arm: Arm;
  readonly round: number;
  readonly line: string;
  readonly kib: number;
}

function heapPoints(scenario: RetentionScenario, arm: Arm): HeapLinePoint[] {
  return scenario.arms[arm].heap.flatMap((process, i) => {
    const sorted = process.map(({ bytes }) => bytes).sort((a, b) => a - b);
    const middle = sorted[sorted.length >> 1] ?? 0;
    return process.map(({ round, bytes }) => ({
      arm,
      round,
      line: `${arm}${i}`,
      kib: (bytes - middle) / 1024,
    }));
  });
}

/** KiB from the median within which nearly all points of all scenarios lie, with some room. */
export function heapReach(scenarios: readonly RetentionScenario[]): number {
  const distances = scenarios
    .flatMap((scenario) => ARMS.flatMap((arm) => heapPoints(scenario, arm)))
    .map(({ kib }) => Math.abs(kib))
    .sort((a, b) => a - b);
  return Math.max(16, 1.15 * (distances[Math.floor(0.99 * (distances.length - 1))] ?? 0));
}

/** Change of lines per device, owned less embedded. */
export function linesPlot(rows: readonly { device: string; change: number }[], width: number): Markup {
  const reach = Math.max(2, ...rows.map(({ change }) => Math.abs(change)));
  return draw(
    {
      width,
      height: rows.length * 26 + 50,
      marginLeft: 130,
      marginRight: 20,
      marginTop: 8,
      marginBottom: 40,
      x: {
        domain: [-reach, reach],
        label: "lines, owned less embedded",
        labelAnchor: "center",
        labelArrow: "none",
        ticks: 5,
        tickFormat: "d",
      },
      y: { domain: rows.map(({ device }) => device), label: null, tickSize: 0, padding: 0.4 },
      marks: [
        Plot.gridX({ strokeOpacity: 0.1, ticks: 5 }),
        Plot.barX(rows, { x: "change", y: "device", fill: ARM_COLOUR.B, fillOpacity: 0.75, rx: 2 }),
        Plot.ruleX([0], { strokeOpacity: 0.55 }),
      ],
    },
    `Lines per device, owned less embedded: ${rows.map((row) => `${row.device} ${formatSigned(row.change)}`).join(", ")}`,
  );
}

/** A row's interval in the margin of its sentence, which says the same in words: hidden from screen readers. */
export function miniInterval({ ab, aa, margin }: Omit<IntervalRow, "label">, verdict: Verdict): Markup {
  const [width, height] = [224, 42];
  const reach = 1.12 * Math.max(...[ab.low, ab.high, aa.low, aa.high, margin].map(Math.abs));
  const x = (value: number) => ((width * (value + reach)) / (2 * reach)).toFixed(1);
  const line = (interval: Interval, y: number, colour: string, stroke: number) =>
    `<line x1="${x(interval.low)}" x2="${x(interval.high)}" y1="${y}" y2="${y}" stroke="${colour}"` +
    ` stroke-width="${stroke}" stroke-linecap="round"/>` +
    `<circle cx="${x(interval.estimate)}" cy="${y}" r="${stroke + 1}" fill="${colour}"/>`;
  return new Markup(
    `<svg class="mini" viewBox="0 0 ${width} ${height}" aria-hidden="true" data-verdict="${verdict}">` +
      `<rect x="${x(-margin)}" width="${(Number(x(margin)) - Number(x(-margin))).toFixed(1)}" height="${height}"` +
      ` fill="var(--band)"/>` +
      `<line x1="${x(0)}" x2="${x(0)}" y2="${height}" stroke="currentColor" stroke-opacity=".45"/>` +
      `${line(ab, 15, ARM_COLOUR.B, 3.5)}${line(aa, 30, ARM_COLOUR.A2, 2)}</svg>`,
  );
}
