/** The figures of QEMU that `regionlab claims` shows beside each claim: from a stored run, both builds, and their trees. */
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CommandError } from "#host";
import { HEAP_GROWTH, loadRun, type Metric, metricFigures, questionTitle, type Run } from "#results";
import type { Allocations } from "../allocations.ts";
import { answersOf, differencesOf } from "../compare.ts";
import { checkBuild, emulatorOf } from "../session.ts";
import { SET_UPS } from "../set-ups.ts";
import { constructorsOf } from "./lines.ts";
import { startOf } from "./starts.ts";
import { checkTree, regionlab } from "./trees.ts";

export interface ClaimSources {
  /** A run of `regionlab bench qemu -o`. */
  readonly run: string;
  /** Build folders, each in its tree. */
  readonly a: string;
  readonly b: string;
  /** What gcc said of the converted sources, by `npm run test:qemu -- objects`. */
  readonly objects?: string;
}

/** What the conversion of a tree reports of itself. */
interface Conversion {
  readonly files: readonly string[];
  readonly statistics: {
    readonly regions: number;
    readonly converted: number;
    readonly refused: number;
    readonly heap: { readonly sites: number; readonly converted: number };
  };
}

export interface ClaimFindings {
  readonly tree: string;
  readonly commands: readonly string[];
  readonly conversion: Conversion;
  /** Constructors that have a caller, and all. */
  readonly constructors: readonly [number, number];
  /** Set-ups whose answers are the same, and all. */
  readonly setUps: readonly [number, number];
  /** Of the start of virt. */
  readonly allocations: { readonly a: Allocations; readonly b: Allocations };
  readonly objects: { readonly objects: number; readonly added: readonly string[] } | null;
  readonly metrics: readonly Metric[];
}

/** @returns the text of workloads/claims/qemu.json */
export async function claimFigures({ run: file, a, b, objects }: ClaimSources): Promise<string> {
  checkBuild("--a", a);
  checkBuild("--b", b);
  const run: Run = await loadRun(file);
  if (run.metrics.length === 0 || run.metrics.some(({ source }) => source !== "qemu"))
    throw new CommandError(
      `${file}: has no figures of QEMU; give a file that \`regionlab bench qemu -o\` wrote`,
    );
  const [unconverted, converted] = [dirname(a), dirname(b)];
  checkTree("--a: the folder around the build", unconverted);
  checkTree("--b: the folder around the build", converted);
  const { declared, used } = await constructorsOf(converted);
  const { stdout } = await regionlab("to-owned", unconverted, "--json", "-");
  let same = 0;
  for (const setUp of SET_UPS) {
    const [left, right] = [await answersOf(a, setUp), await answersOf(b, setUp)];
    if (differencesOf(left, right).length === 0) same++;
  }
  const options = `--a ${a} --b ${b}${objects === undefined ? "" : ` --objects ${basename(objects)}`}`;
  return describeClaims({
    tree: `QEMU ${readFileSync(join(unconverted, "VERSION"), "utf8").trim()}, ${basename(emulatorOf(a))}`,
    commands: [
      "npm run qemu:build",
      run.options.command,
      `npm run bench:qemu -- claims ${basename(file)} ${options}`,
    ],
    conversion: JSON.parse(stdout),
    constructors: [declared.filter((name) => used.has(name)).length, declared.length],
    setUps: [same, SET_UPS.length],
    allocations: { a: await startOf(a), b: await startOf(b) },
    objects: objects === undefined ? null : JSON.parse(readFileSync(objects, "utf8")),
    metrics: run.metrics,
  });
}

export function describeClaims(found: ClaimFindings): string {
  const { files, statistics } = found.conversion;
  const { regions, converted, refused, heap } = statistics;
  const share = (part: number, whole: number) =>
    `${part} of ${whole} (${((100 * part) / whole).toFixed(1)} %)`;
  const figures: { claim: string; name: string; value: string }[] = [];
  const add = (claim: string, name: string, value: string | number) =>
    figures.push({ claim, name, value: `${value}` });
  add("C1", "regions allocated by hand that conversion replaces", share(heap.converted, heap.sites));
  const growth = found.metrics.filter(({ name }) => name === HEAP_GROWTH);
  const leaking = growth.filter((metric) =>
    metricFigures(metric)
      .slice(1, 3)
      .some((left) => left !== "0"),
  );
  add(
    "C1",
    "devices that leave bytes when they are created and destroyed, or plugged and unplugged, in either build",
    `${leaking.length} of ${growth.length}`,
  );
  add(
    "C2",
    "machines that answer the monitor, and print, the same in both builds",
    found.setUps.join(" of "),
  );
  add("C4", "files that conversion changes", files.length);
  add("C9", "constructors that have a caller outside the memory core", found.constructors.join(" of "));
  add("C10", "regions that keep the other pattern after conversion", share(refused, regions));
  add("C11", "regions converted by rule, without hand edits", share(converted, regions));
  if (found.objects !== null) {
    const { objects, added } = found.objects;
    add("C11", `new errors and warnings of gcc in ${objects} objects of all targets`, added.length);
  }
  for (const metric of found.metrics.filter(({ quantity }) => quantity === "count")) {
    const [, , , difference = "", , verdict = ""] = metricFigures(metric);
    add("C25", `instructions, ${questionTitle(metric)}, B against A`, `${difference}, ${verdict}`);
  }
  const { a, b } = found.allocations;
  add("C25", "allocations of a region's size, start of virt, A and B", `${a.regions} and ${b.regions}`);
  add("C25", "all allocations, start of virt, A and B (not a steady figure)", `${a.calls} and ${b.calls}`);
  return `${JSON.stringify(
    {
      schema: "regionlab.claims.qemu",
      tree: found.tree,
      source: "docs/qemu-measured.md",
      commands: found.commands,
      figures,
    },
    null,
    2,
  )}\n`;
}
