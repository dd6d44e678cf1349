/** Who holds whom in a machine: as text, as JSON and as a picture. */
import { AddressSpace, FlatView, FoundRange, formatAddress, Mapping, MemoryRegion } from "#memory";
import { type DeviceModel, type Hold, type Holder, type HoldGraph, holdGraph } from "#qdev";
import { QomObject } from "#qom";

export const REFS_FORMATS = ["text", "json", "svg"] as const;
export type RefsFormat = (typeof REFS_FORMATS)[number];

/** All references of a machine, with their holders, their reasons, and the cycles among them. */
export function formatRefs(model: DeviceModel, format: RefsFormat): string {
  const graph = holdGraph(model);
  const names = new Names(graph.nodes);
  switch (format) {
    case "text":
      return textOf(graph, names);
    case "json":
      return `${JSON.stringify(jsonOf(graph, names), null, 1)}\n`;
    case "svg":
      return drawing(graph, names);
  }
}

/** A name for everything, unique within the machine. */
class Names {
  private readonly names = new Map<Holder, string>();

  constructor(nodes: readonly Holder[]) {
    const used = new Map<string, number>();
    for (const node of nodes) {
      const name = nameOf(node);
      const times = (used.get(name) ?? 0) + 1;
      used.set(name, times);
      this.names.set(node, times === 1 ? name : `${name} (${times})`);
    }
  }

  of(node: Holder | null): string {
    return node === null ? "outside the machine" : (this.names.get(node) ?? nameOf(node));
  }
}

function nameOf(node: Holder): string {
  if (node instanceof AddressSpace) return `address space ${node.name}`;
  if (node instanceof FlatView)
    return node.root === null ? "empty flat view" : `flat view of ${node.root.name}`;
  if (node instanceof Mapping) return `mapping at ${formatAddress(node.address)}`;
  if (node instanceof FoundRange) return `range found at ${formatAddress(node.address)}`;
  return node.canonicalPath() ?? `${node.qomType.typeName} without parent`;
}

function textOf({ nodes, holds, cycles }: HoldGraph, names: Names): string {
  const lines: string[] = [];
  for (const node of nodes) {
    const held = holds.filter((hold) => hold.held === node);
    const count = node instanceof QomObject ? node.refCount : null;
    lines.push(
      `${names.of(node)}${node instanceof QomObject ? ` (${node.qomType.typeName})` : ""}${countWords(count)}`,
    );
    for (const hold of held) lines.push(`  ${lineOf(hold)} ${names.of(hold.holder)}${throughWords(hold)}`);
  }
  lines.push(
    "",
    cycles.length === 0 ? "No cycles." : `${cycles.length} ${cycles.length === 1 ? "cycle" : "cycles"}:`,
  );
  for (const cycle of cycles) {
    lines.push("");
    for (const hold of cycle)
      lines.push(
        `  ${names.of(hold.holder)} holds ${names.of(hold.held)}: ${hold.reason}${throughWords(hold)}`,
      );
  }
  return `${lines.join("\n")}\n`;
}

function countWords(count: number | null): string {
  if (count === null) return "";
  return `, ${count} ${count === 1 ? "reference" : "references"}`;
}

function lineOf({ count, reason }: Hold): string {
  return `${String(count).padStart(3)} ${reason.padEnd(17)}`;
}

function throughWords({ reason, through }: Hold): string {
  if (through.length === 0 || reason === "property") return "";
  return ` (${through.join(", ")})`;
}

function jsonOf({ nodes, holds, cycles }: HoldGraph, names: Names): unknown {
  const edge = ({ holder, held, reason, count, through }: Hold) => ({
    holder: holder === null ? null : names.of(holder),
    held: names.of(held),
    reason,
    count,
    through,
  });
  return {
    nodes: nodes.map((node) => ({
      name: names.of(node),
      kind: kindOf(node),
      ...(node instanceof QomObject ? { type: node.qomType.typeName, references: node.refCount } : {}),
    })),
    holds: holds.map(edge),
    cycles: cycles.map((cycle) => cycle.map(edge)),
  };
}

function kindOf(node: Holder): "object" | "address space" | "flat view" | "mapping" | "found range" {
  if (node instanceof QomObject) return "object";
  if (node instanceof AddressSpace) return "address space";
  if (node instanceof FlatView) return "flat view";
  return node instanceof Mapping ? "mapping" : "found range";
}

const ROW = 22;
const TEXT_WIDTH = 6.2;
const MARGIN = 20;
const GAP = 190;

/**
 * Columns from left to right: what is held by nobody inside, then what that holds, and so on, without parts that hold
 * nothing. Edges of cycles are red and carry their reasons; others say theirs in a tooltip.
 */
function drawing({ nodes: all, holds, cycles }: HoldGraph, names: Names): string {
  const nodes = all.filter((node) => !isPlainPart(node, holds));
  const shown = new Set<Holder | null>(nodes);
  const inside = holds.filter(({ holder, held }) => holder !== null && shown.has(holder) && shown.has(held));
  const columns = columnsOf(nodes, inside);
  const places = new Map<Holder, { x: number; y: number; width: number }>();
  let x = MARGIN;
  let bottom = 0;
  for (const column of columns) {
    const width = Math.max(...column.map((node) => names.of(node).length)) * TEXT_WIDTH + 16;
    for (const [row, node] of column.entries()) places.set(node, { x, y: MARGIN + 20 + row * ROW, width });
    bottom = Math.max(bottom, MARGIN + 20 + column.length * ROW);
    x += width + GAP;
  }
  const inCycle = new Set(cycles.flat());
  const ordered = [...inside.filter((hold) => !inCycle.has(hold)), ...inCycle]; // red ones on top
  const edges = ordered.map((hold) => edgeOf(hold, places, names, inCycle.has(hold)));
  const boxes = nodes.map((node) => {
    const place = places.get(node);
    if (place === undefined) return "";
    const count = node instanceof QomObject ? countWords(node.refCount).replace(", ", ": ") : "";
    return (
      `<g><title>${escaped(`${names.of(node)}${count}`)}</title><rect x="${round(place.x)}" y="${round(place.y - 8)}" width="${round(place.width)}" height="16" rx="3" class="${kindOf(node).replace(" ", "-")}"/>` +
      `<text x="${round(place.x + 8)}" y="${round(place.y + 4)}">${escaped(names.of(node))}</text></g>`
    );
  });
  const title = `Who holds whom: ${nodes.length} things, ${cycles.length === 0 ? "no cycles" : `${cycles.length} ${cycles.length === 1 ? "cycle" : "cycles"} in red`}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(x)} ${round(bottom + MARGIN)}" width="${round(x)}" height="${round(bottom + MARGIN)}" role="img" aria-label="${escaped(title)}">
<style>svg{background:#fff;font:11px sans-serif}rect{fill:#f3f3f0;stroke:#888}.address-space,.flat-view,.mapping,.found-range{fill:#e6eef8}path{fill:none;stroke:#9aa;stroke-width:1}.cycle{stroke:#c22;stroke-width:2}.why{fill:#a11;font-size:10px}</style>
<text x="${MARGIN}" y="${MARGIN}" font-weight="bold">${escaped(title)}</text>
${edges.join("\n")}
${boxes.join("\n")}
</svg>
`;
}

/** Whether an object holds nothing, and only its parent holds it: interrupt inputs, mostly. */
function isPlainPart(node: Holder, holds: readonly Hold[]): boolean {
  if (!(node instanceof QomObject) || node instanceof MemoryRegion) return false;
  const held = holds.filter((hold) => hold.held === node);
  return held.every(({ reason }) => reason === "property") && !holds.some(({ holder }) => holder === node);
}

/** Breadth first from what nobody inside holds; what only cycles reach starts a column of its own. */
function columnsOf(nodes: readonly Holder[], holds: readonly Hold[]): Holder[][] {
  const heldBy = new Map<Holder, Hold[]>();
  const held = new Set<Holder>();
  for (const hold of holds) {
    if (hold.holder === null) continue;
    heldBy.set(hold.holder, [...(heldBy.get(hold.holder) ?? []), hold]);
    held.add(hold.held);
  }
  const columns: Holder[][] = [];
  const placed = new Set<Holder>();
  const place = (starts: readonly Holder[]) => {
    let column = starts.filter((node) => !placed.has(node));
    for (let depth = 0; column.length > 0; depth++) {
      for (const node of column) placed.add(node);
      columns[depth] = [...(columns[depth] ?? []), ...column];
      column = [
        ...new Set(column.flatMap((node) => (heldBy.get(node) ?? []).map((hold) => hold.held))),
      ].filter((node) => !placed.has(node));
    }
  };
  place(nodes.filter((node) => !held.has(node)));
  for (const node of nodes) place([node]);
  return columns;
}

function edgeOf(
  hold: Hold,
  places: ReadonlyMap<Holder, { x: number; y: number; width: number }>,
  names: Names,
  isInCycle: boolean,
): string {
  const from = hold.holder === null ? undefined : places.get(hold.holder);
  const to = places.get(hold.held);
  if (from === undefined || to === undefined) return "";
  const leaves = from.x + from.width;
  // Forwards to the left side of what is held; backwards and within a column around the right side.
  const arrives = to.x > from.x ? to.x : to.x + to.width;
  const bend = to.x > from.x ? (arrives - leaves) / 2 : GAP / 2;
  const pull = to.x > from.x ? arrives - bend : arrives + bend;
  const told = `${names.of(hold.holder)} holds ${names.of(hold.held)}: ${hold.reason}${throughWords(hold)}`;
  const path = `<path d="M${round(leaves)},${round(from.y)}C${round(leaves + bend)},${round(from.y)} ${round(pull)},${round(to.y)} ${round(arrives)},${round(to.y)}"${isInCycle ? ' class="cycle"' : ""}><title>${escaped(told)}</title></path>`;
  if (!isInCycle) return path;
  const at = { x: (leaves + bend + pull) / 2, y: (from.y + to.y) / 2 - 4 };
  return `${path}<text x="${round(at.x)}" y="${round(at.y)}" class="why" text-anchor="middle">${escaped(hold.reason)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
