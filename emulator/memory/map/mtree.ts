import type { AddressSpace } from "../address-space.ts";
import { formatAddress } from "../hwaddr.ts";
import type { MemoryModel } from "../memory-model.ts";
import type { FlatView } from "./flat-view.ts";
import { physicalSections } from "./physical-sections.ts";
import type { MemoryRegion } from "./region.ts";

/**
 * The flat views of a machine, each with the address spaces that show it, in the format of QEMU's `info mtree -f`.
 * @param dispatch whether to list the physical sections of each, too, as with `-d`; not the nodes of QEMU's tree, as
 * there is none here
 */
export function formatFlatViews(model: MemoryModel, dispatch = false): string {
  const spacesOf = new Map<FlatView, AddressSpace[]>();
  for (const space of model.addressSpaces) {
    const sharing = spacesOf.get(space.view);
    if (sharing === undefined) spacesOf.set(space.view, [space]);
    else sharing.push(space);
  }
  return [...spacesOf]
    .map(([view, spaces], index) => {
      const sections = dispatch && view.ranges.length > 0 ? formatSections(view) : "";
      return `${formatFlatView(view, spaces, index)}${sections}`;
    })
    .join("\n");
}

function formatSections(view: FlatView): string {
  const lines = physicalSections(view.ranges).map(({ start, end, region }, index) => {
    const span = `${formatAddress(start)}..${formatAddress(BigInt(end) - 1n)}`;
    const mark = index === 0 ? " [unassigned]" : region !== null && region === view.root ? " [ROOT]" : "";
    return `      #${index} @${span} ${region?.name ?? "(noname)"}${mark}\n`;
  });
  return `  Dispatch\n    Physical sections\n${lines.join("")}`;
}

function formatFlatView(view: FlatView, spaces: readonly AddressSpace[], index: number): string {
  const lines = [`FlatView #${index}`];
  for (const { name, root } of spaces) lines.push(` AS "${name}", root: ${root?.name ?? "(none)"}`);
  lines.push(` Root memory region: ${view.root?.name ?? "(none)"}`);
  if (view.ranges.length === 0) lines.push("  No rendered FlatView");
  for (const range of view.ranges) {
    const span = `${formatAddress(range.start)}-${formatAddress(BigInt(range.end) - 1n)}`;
    const kind = kindOf(range.region, range.readOnly, range.romdMode, range.nonvolatile);
    const at = range.offset === 0 ? "" : ` @${formatAddress(range.offset)}`;
    lines.push(`  ${span} (prio 0, ${kind}): ${range.region.name ?? "(none)"}${at}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The region trees of all address spaces, and of the targets of aliases, in the format of QEMU's `info mtree`. */
export function formatMtree(model: MemoryModel): string {
  const lines: string[] = [];
  const targets: MemoryRegion[] = [];
  const spacesOf = new Map<MemoryRegion, AddressSpace[]>();
  for (const space of model.addressSpaces) {
    if (space.root === null) continue;
    const sharing = spacesOf.get(space.root);
    if (sharing === undefined) spacesOf.set(space.root, [space]);
    else sharing.push(space);
  }
  for (const [root, spaces] of spacesOf) {
    for (const name of spaces.map((each) => each.name).sort()) lines.push(`address-space: ${name}`);
    listRegion(root, 0, 1, lines, targets);
    lines.push("");
  }
  for (const target of targets) {
    // listing one may append more
    lines.push(`memory-region: ${target.name}`);
    listRegion(target, 0, 1, lines, targets);
    lines.push("");
  }
  return lines.join("\n");
}

function listRegion(
  region: MemoryRegion,
  base: number,
  level: number,
  lines: string[],
  targets: MemoryRegion[],
): void {
  const start = base + region.address;
  const size = BigInt(region.size);
  const last = size === 0n ? 0n : size - 1n;
  const span = `${formatAddress(start)}-${formatAddress(BigInt(start) + last)}`;
  const kind = kindOf(region, region.readOnly, region.romdMode, region.nonvolatile);
  let line = `${"  ".repeat(level)}${span} (prio ${region.priority}, ${kind}): `;
  if (region.alias === null) {
    line += region.name ?? "(none)";
  } else {
    const from = region.aliasOffset;
    if (!targets.includes(region.alias)) targets.push(region.alias);
    line += `alias ${region.name} @${region.alias.name} ${formatAddress(from)}-${formatAddress(BigInt(from) + last)}`;
  }
  if (!region.enabled) line += " [disabled]";
  lines.push(line);
  const inOrder = [...region.subregions].sort((a, b) => a.address - b.address || b.priority - a.priority);
  for (const subregion of inOrder) listRegion(subregion, start, level + 1, lines, targets);
}

function kindOf(region: MemoryRegion, readOnly: boolean, romdMode: boolean, nonvolatile: boolean): string {
  const kind = region.romDevice
    ? romdMode
      ? "romd"
      : "i/o"
    : region.ram === null
      ? "i/o"
      : region.ramDevice
        ? "ramd"
        : readOnly
          ? "rom"
          : "ram";
  return nonvolatile ? `nv-${kind}` : kind;
}
