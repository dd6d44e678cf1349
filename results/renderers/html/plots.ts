/** Plots with axes, drawn when the page is made; their colours come from the page's style sheet. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { ARMS, type Arm, type Interval, type RetentionScenario } from "../../schema.ts";
import { formatSigned } from "../../words.ts";
import { Markup, toHtml } from "./markup.ts";

/** Colour of each arm, as the style sheet names it. */
export const ARM_COLOUR: Readonly<Record<Arm, string>> = {
  A: "var(--arm-a)",
  B: "var(--arm-b)",
  A2: "var(--control)",
};

/** Draws a plot into a document of its own and returns it as text. */
export function draw(options: Plot.PlotOptions, label: string): Markup {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg = Plot.plot({
    ...options,
    document,
    className: "plot",
    style: { background: "none", fontFamily: "inherit", fontSize: "12px", overflow: "visible" },
  });
  // The picture as a whole has a label; its parts have no role, so they must not have any. The page styles it.
  for (const part of svg.querySelectorAll("[aria-label], [aria-description]")) {
    part.removeAttribute("aria-label");
    part.removeAttribute("aria-description");
  }
  for (const style of svg.querySelectorAll("style")) style.remove();
  const drawn = roundCoordinates(svg.outerHTML);
  return new Markup(drawn.replace("<svg ", () => `<svg role="img" aria-label="${toHtml(label)}" `));
}

/** Rounds coordinates to a tenth of a pixel; other attributes, such as opacities, are left alone. */
function roundCoordinates(svg: string): string {
  return svg.replace(
    /\b(d|x|y|x1|x2|y1|y2|cx|cy|r|width|height|points|transform)="([^"]*)"/g,
    (_, name: string, value: string) =>
      `${name}="${value.replace(/-?\d+\.\d+/g, (number) => String(Math.round(10 * Number(number)) / 10))}"`,
  );
}

/**
 * Heap in use against rounds, each process relative to its own median: for each arm, a band from the smallest process
 * to the largest, and a line for the median. Lines of arms that agree lie on top of each other, so they differ in
 * width.
 *
 * @param reach of the axis up and down in KiB, the same for all scenarios, so that a leak stands out
 */
export function slopePlot(scenario: RetentionScenario, reach: number): Markup {
  const marks = (["A2", "A", "B"] as const).flatMap((arm, i) => {
    const points = heapBand(scenario, arm);
    const colour = ARM_COLOUR[arm];
    return [
      Plot.areaY(points, { x: "round", y1: "low", y2: "high", fill: colour, fillOpacity: 0.12 }),
      Plot.lineY(points, { x: "round", y: "middle", stroke: colour, strokeWidth: 6 - 2 * i }),
    ];
  });
  return draw(
    {
      width: 320,
      height: 190,
      marginLeft: 52,
      marginRight: 14,
      marginTop: 22,
      marginBottom: 36,
      x: { label: "rounds", labelAnchor: "center", labelArrow: "none", ticks: 4 },
      y: {
        label: "KiB around the median",
        labelArrow: "none",
        ticks: 5,
        domain: [-reach, reach],
        clamp: true,
      },
      marks: [
        Plot.gridY({ strokeOpacity: 0.1, ticks: 5 }),
        Plot.ruleY([0], { strokeOpacity: 0.5 }),
        ...marks,
      ],
    },
    `${scenario.scenario}: heap in use against rounds; the table gives the slopes`,
  );
}

interface BandPoint {
  readonly round: number;
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/** Smallest, median and largest process at each round, in KiB relative to the median of the process. */
function heapBand(scenario: RetentionScenario, arm: Arm): BandPoint[] {
  const rounds = new Map<number, number[]>();
  for (const { round, kib } of heapPoints(scenario, arm))
    rounds.set(round, [...(rounds.get(round) ?? []), kib]);
  return [...rounds].map(([round, values]) => {
    const sorted = values.sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
    return { round, low: at(0), middle: at(0.5), high: at(1) };
  });
}

function heapPoints(scenario: RetentionScenario, arm: Arm): { round: number; kib: number }[] {
  return scenario.arms[arm].heap.flatMap((process) => {
    const sorted = process.map(({ bytes }) => bytes).sort((a, b) => a - b);
    const middle = sorted[sorted.length >> 1] ?? 0;
    return process.map(({ round, bytes }) => ({ round, kib: (bytes - middle) / 1024 }));
  });
}

/** Distance from the median, in KiB, within which 99 % of the points of all scenarios lie, plus 15 %; at least 16. */
export function heapReach(scenarios: readonly RetentionScenario[]): number {
  const distances = scenarios
    .flatMap((scenario) => ARMS.flatMap((arm) => heapPoints(scenario, arm)))
    .map(({ kib }) => Math.abs(kib))
    .sort((a, b) => a - b);
  return Math.max(16, 1.15 * (distances[Math.floor(0.99 * (distances.length - 1))] ?? 0));
}

/** Change of lines per device, owned minus embedded. */
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
        label: "lines, owned minus embedded",
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
    `Lines per device, owned minus embedded: ${rows.map((row) => `${row.device} ${formatSigned(row.change)}`).join(", ")}`,
  );
}

/** A quotient with its interval and goal. */
export interface RatioRow {
  readonly label: string;
  readonly ratio: Interval;
  /** Smallest quotient that meets the goal; null if there is none. */
  readonly goal: number | null;
}

/**
 * Quotients with their intervals on a logarithmic scale, so that twice and half as fast are equally far from one.
 * @param axis what the quotient is
 */
export function ratioPlot(rows: readonly RatioRow[], width: number, axis: string): Markup {
  const narrow = width < 500;
  const ends = rows.flatMap(({ ratio, goal }) => [ratio.low, ratio.high, goal ?? 1]);
  const domain = [Math.min(0.5, ...ends) / 1.15, Math.max(2, ...ends) * 1.15];
  const y = (row: RatioRow) => row.label;
  return draw(
    {
      width,
      height: rows.length * 28 + 52,
      marginLeft: narrow ? 96 : 150,
      marginRight: 18,
      marginTop: 8,
      marginBottom: 42,
      x: {
        type: "log",
        domain,
        label: axis,
        labelAnchor: "center",
        labelArrow: "none",
        ticks: narrow ? 3 : 7,
        tickFormat: (value: number) => `${value}×`,
      },
      y: { domain: rows.map(y), label: null, tickSize: 0, padding: 0.3 },
      marks: [
        Plot.gridX({ strokeOpacity: 0.1, ticks: narrow ? 3 : 7 }),
        Plot.ruleX([1], { strokeOpacity: 0.6 }),
        Plot.tickX(
          rows.filter(({ goal }) => goal !== null),
          { x: "goal", y, stroke: ARM_COLOUR.A2, strokeWidth: 2, strokeDasharray: "3 2" },
        ),
        Plot.ruleY(rows, {
          y,
          x1: (row: RatioRow) => row.ratio.low,
          x2: (row: RatioRow) => row.ratio.high,
          stroke: ARM_COLOUR.B,
          strokeWidth: 4,
          strokeLinecap: "round",
        }),
        Plot.dot(rows, { x: (row: RatioRow) => row.ratio.estimate, y, fill: ARM_COLOUR.B, r: 4.5 }),
      ],
    },
    `${axis}: ${rows.map(({ label, ratio }) => `${label} ${ratio.estimate.toFixed(2)}`).join(", ")}`,
  );
}
