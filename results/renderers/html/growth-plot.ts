/** How a cost grows with n, measured in each form, beside QEMU's growth by its formula. */
import * as Plot from "@observablehq/plot";
import {
  ASYMPTOTIC,
  formatCost,
  formatSize,
  type Growth,
  type GrowthPoint,
  type GrowthWork,
  growthOf,
  leastCosts,
} from "../../growth.ts";
import type { Form } from "../../schema.ts";
import type { Markup } from "./markup.ts";
import { ARM_COLOUR, draw } from "./plots.ts";

/** Forms have the colours of the arms that usually run them. */
const FORM_COLOUR: Readonly<Record<Form, string>> = { embedded: ARM_COLOUR.A, owned: ARM_COLOUR.B };

/** Powers of ten that a plot of any of these has to cover. */
export function growthDecades(growths: readonly Growth[]): number {
  const works = new Set(growths.map(({ work }) => work));
  const decades = [...works].map((name) => {
    const { least, most } = reach(growths.filter(({ work }) => work === name));
    return Math.log10(most / least);
  });
  return Math.max(1, ...decades);
}

function reach(growths: readonly Growth[]): { readonly least: number; readonly most: number } {
  const costs = growths.flatMap(({ points }) => points.map(({ cost }) => cost));
  return { least: Math.min(...costs) / 1.3, most: Math.max(...costs) * 1.3 };
}

/**
 * @param growths of the work, in each form
 * @param decades height of the plot, the same for all works, so that slopes can be compared
 */
export function growthPlot(work: GrowthWork, growths: readonly Growth[], decades: number): Markup {
  const { least } = reach(growths);
  const sizes = growths.flatMap(({ points }) => points.map(({ size }) => size));
  const domain = [Math.min(...sizes) / 1.3, Math.max(...sizes) * 1.3] as const;
  const marks = growths.flatMap((growth, i) => {
    const colour = FORM_COLOUR[growth.form];
    return [
      Plot.dot(growth.points, { x: "size", y: "cost", fill: colour, fillOpacity: 0.5, r: 2 }),
      // Lines of forms that agree lie on top of each other, so they differ in width.
      Plot.line(leastCosts(growth), { x: "size", y: "cost", stroke: colour, strokeWidth: i === 0 ? 4 : 2 }),
    ];
  });
  return draw(
    {
      width: 320,
      height: 230,
      marginLeft: 56,
      marginRight: 14,
      marginTop: 12,
      marginBottom: 38,
      x: {
        type: "log",
        domain,
        label: "n",
        labelAnchor: "center",
        labelArrow: "none",
        ticks: powersOfTen(...domain),
        tickFormat: formatSize,
      },
      y: {
        type: "log",
        domain: [least, least * 10 ** decades],
        label: null,
        ticks: powersOfTen(least, least * 10 ** decades),
        tickFormat: formatCost,
      },
      marks: [
        Plot.gridY({ strokeOpacity: 0.1, ticks: powersOfTen(least, least * 10 ** decades) }),
        Plot.line(inQemu(work, growths, domain[1]), {
          x: "size",
          y: "cost",
          stroke: ARM_COLOUR.A2,
          strokeWidth: 2,
          strokeDasharray: "5 4",
          clip: true,
        }),
        ...marks,
      ],
    },
    `${work.name}: cost against n; the table gives the exponents, and QEMU grows as ${work.qemu}`,
  );
}

/** QEMU's growth from {@link ASYMPTOTIC} on, through the least cost there. */
function inQemu({ qemu }: GrowthWork, growths: readonly Growth[], most: number): GrowthPoint[] {
  const start = growths
    .flatMap((growth) => leastCosts(growth))
    .find(({ size }) => size >= ASYMPTOTIC && size < most);
  if (start === undefined) return [];
  const steps = 40;
  return Array.from({ length: steps + 1 }, (_, i) => {
    const size = start.size * (most / start.size) ** (i / steps);
    return { size, cost: start.cost * growthOf(qemu, start.size, size) };
  });
}

function powersOfTen(least: number, most: number): number[] {
  const first = Math.ceil(Math.log10(least));
  const count = Math.max(Math.floor(Math.log10(most)) - first + 1, 0);
  return Array.from({ length: count }, (_, i) => 10 ** (first + i));
}
