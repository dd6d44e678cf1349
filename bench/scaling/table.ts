import type { Growth } from "./measure.ts";
import type { ScalingWork } from "./works.ts";

/** What was measured, as lines of text: a row for each work and form. */
export function tableOf(works: readonly ScalingWork[], growths: readonly Growth[]): string[] {
  const rows = growths.map((growth) => {
    const { work, form, points, fit, verdict } = growth;
    const { aim = "", qemu = "" } = works.find(({ name }) => name === work) ?? {};
    const sizes = [...new Set(points.map(({ size }) => size))];
    const costs = [sizes[0], sizes.at(-1)].map((size) =>
      nanoseconds(Math.min(...points.filter((point) => point.size === size).map(({ cost }) => cost))),
    );
    const exponent = `${signed(fit.exponent)} (${signed(fit.low)} to ${signed(fit.high)})`;
    return [work, form, ...costs, exponent, aim, verdict, qemu];
  });
  const sizes = [...new Set(growths.flatMap(({ points }) => points.map(({ size }) => size)))];
  const head = [
    "work",
    "form",
    `ns at ${Math.min(...sizes)}`,
    `ns at ${Math.max(...sizes)}`,
    "exponent (95 %)",
    "aim",
    "verdict",
    "QEMU 10.2.2",
  ];
  const widths = head.map((title, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? title).length)),
  );
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function nanoseconds(value: number): string {
  return value.toPrecision(3).includes("e") ? String(Math.round(value)) : value.toPrecision(3);
}

function signed(exponent: number): string {
  const rounded = exponent.toFixed(2);
  return rounded === "-0.00" ? "0.00" : rounded;
}
