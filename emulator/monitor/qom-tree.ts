import type { QomObject } from "#qom";

/** The composition tree below `object`, sorted, as QEMU's `info qom-tree` lists it. */
export function formatQomTree(object: QomObject): string {
  const lines: string[] = [];
  list(object, object.canonicalPath() ?? object.nameInParent, 0, lines);
  return `${lines.join("\n")}\n`;
}

function list(object: QomObject, name: string, level: number, lines: string[]): void {
  lines.push(`${"  ".repeat(level)}${name} (${object.qomType.typeName})`);
  const children = [...object.children()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  for (const [childName, child] of children) list(child, `/${childName}`, level + 1, lines);
}
