/**
 * Small pictures without axes, written as SVG directly: there are many of them, so each has a few hundred bytes and
 * takes its style from the page.
 */
import { ARMS, type Arm, type Interval, type Metric } from "../../schema.ts";
import { formatFigures } from "../../words.ts";
import type { Picture } from "../table-model.ts";
import { html, Markup } from "./markup.ts";

/** Coordinates to a tenth of a pixel. */
function px(value: number): string {
  return String(Math.round(10 * value) / 10);
}

const MINI = { width: 150, height: 24 };
/** How many margins a picture shows to either side of zero; anything farther out is clipped. */
const SHOWN_MARGINS = 3;

/**
 * A difference drawn above its control, in units of the margin, so that all rows have the same scale. Hidden from
 * screen readers, because its row gives the same figures.
 */
export function miniInterval({ ab, aa, margin }: Picture): Markup {
  const { width, height } = MINI;
  const widest = Math.max(...[ab.low, ab.high, aa.low, aa.high].map(Math.abs));
  const reach = margin > 0 ? SHOWN_MARGINS * margin : Math.max(widest, Number.MIN_VALUE);
  const x = (value: number) =>
    3 + ((width - 6) * (Math.max(-reach, Math.min(reach, value)) + reach)) / (2 * reach);
  const line = ({ low, high, estimate }: Interval, y: number, name: string, dot: number) =>
    `<path class="${name}" d="M${px(x(low))} ${y}H${px(x(high))}"/>` +
    (Math.abs(estimate) > reach
      ? arrow(estimate, y, name)
      : `<circle class="${name}" cx="${px(x(estimate))}" cy="${y}" r="${dot}"/>`);
  return new Markup(
    `<svg class="mini" viewBox="0 0 ${width} ${height}" aria-hidden="true">` +
      `<path class="m" d="M${px(x(-margin))} 0H${px(x(margin))}V${height}H${px(x(-margin))}z"/>` +
      `<path class="z" d="M${px(x(0))} 0V${height}"/>` +
      `${line(ab, 9, "b", 3.5)}${line(aa, 18, "c", 2)}</svg>`,
  );
}

/** An arrow at the edge, towards an estimate outside the picture. */
function arrow(estimate: number, y: number, name: string): string {
  const { width } = MINI;
  const [tip, side] = estimate < 0 ? [0, 6] : [width, width - 6];
  return `<path class="${name} tip" d="M${side} ${y - 4}L${tip} ${y}L${side} ${y + 4}z"/>`;
}

const STRIP = { width: 300, left: 4, row: 22, top: 4 };

/** One dot per process, a row per arm, with the median as a line; outliers are ringed. */
export function stripPlot(metric: Metric, names: Readonly<Record<Arm, string>>): Markup {
  const { width, left, row, top } = STRIP;
  const values = ARMS.flatMap((arm) => metric.samples[arm]);
  const [low, high] = scaleOf(values);
  const x = (value: number) => left + 6 + ((width - 2 * left - 12) * (value - low)) / (high - low);
  const height = top + 3 * row + 18;
  const rows = ARMS.map((arm, i) => {
    const y = top + row * (i + 0.5);
    const samples = metric.samples[arm];
    // A zero-length line with round caps is a dot, in a tenth of the bytes of a circle element.
    const dots = samples.map((value) => `M${px(x(value))} ${y}h0`).join("");
    const rings = samples.flatMap((value, place) =>
      metric.outliers[arm][place] === "none"
        ? []
        : [
            `<circle class="o" cx="${px(x(value))}" cy="${y}" r="${metric.outliers[arm][place] === "severe" ? 8 : 6}"/>`,
          ],
    );
    return `<path class="d ${arm.toLowerCase()}" d="${dots}"/>${rings.join("")}<path class="t ${arm.toLowerCase()}" d="M${px(x(medianOf(samples)))} ${y - 8}v16"/>`;
  });
  const [from, to] = formatFigures({ a: low, b: high });
  const medians = ARMS.map(
    (arm) => `${names[arm]} ${formatFigures({ a: medianOf(metric.samples[arm]), b: high })[0]}`,
  );
  const label = `One dot per process; medians in ${metric.unit}: ${medians.join(", ")}`;
  return html`<svg class="strip" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${new Markup(rows.join(""))}
<text x="${left}" y="${height - 3}">${from}</text><text x="${width - left}" y="${height - 3}" class="e">${to} ${metric.unit}</text></svg>`;
}

/**
 * The range of values, widened to at least a thousandth of their size, so that rounding is not magnified. For counts
 * that are all zero: from 0 to 1.
 */
function scaleOf(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === 0 && high === 0) return [0, 1];
  const least = 1e-3 * Math.max(Math.abs(low), Math.abs(high), 1e-9);
  return high - low > least ? [low, high] : [low - least / 2, high + least / 2];
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}
