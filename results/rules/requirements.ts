/** Performance limits that the emulator must meet in either form. */
import type { Metric, Requirement } from "../schema.ts";
import { median } from "../statistics/index.ts";
import { FLOOR, MACHINE_CREATION, SECTION_HIT, TEN_THOUSAND, TEN_THOUSAND_FLOOR } from "./questions.ts";

/** Quotients are taken within each process that measured both figures. Figures of QEMU have no limits. */
export function checkRequirements(
  metrics: readonly Pick<Metric, "name" | "quantity" | "source" | "samples" | "processes">[],
): Requirement[] {
  const times = metrics.filter(({ quantity, source }) => quantity === "time" && source === "regionlab");
  const find = (name: string) => times.find((candidate) => candidate.name === name);
  const requirements: Requirement[] = [];
  const require = (name: string, limit: number, unit: string, measured: { A: number; B: number }) => {
    requirements.push({ name, limit, unit, measured, met: Math.max(measured.A, measured.B) <= limit });
  };
  const ratio = (name: string, floorName: string, limit: number, label: string) => {
    const [metric, floor] = [find(name), find(floorName)];
    if (!metric || !floor) return;
    const quotients = (arm: "A" | "B") =>
      metric.processes.flatMap((process, i) => {
        const place = floor.processes.indexOf(process);
        const [value, least] = [metric.samples[arm][i], floor.samples[arm][place]];
        return value === undefined || least === undefined ? [] : [value / least];
      });
    if (quotients("A").length === 0) return;
    require(label, limit, "times", { A: median(quotients("A")), B: median(quotients("B")) });
  };
  ratio(SECTION_HIT, FLOOR, 3, "Access with the last section hit, over a bare indirect call");
  ratio(
    TEN_THOUSAND,
    TEN_THOUSAND_FLOOR,
    10,
    "Access among 10 000 regions at random, over bare calls of as many devices at random",
  );
  const creation = find(MACHINE_CREATION);
  if (creation) {
    const milliseconds = (arm: "A" | "B") => median(creation.samples[arm]) / 1e6;
    require("Machine creation", 20, "ms", { A: milliseconds("A"), B: milliseconds("B") });
  }
  return requirements;
}
