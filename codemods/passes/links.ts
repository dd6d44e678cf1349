/** Classes that convert together or not at all, because the edits of one depend on those of another. */
import { type Node, SyntaxKind } from "ts-morph";
import type { JudgedDevice } from "./3-judge.ts";

/** The code that the edits of a class change: its own, derived classes that create its regions, and helpers. */
function editedBy({ device, fields }: JudgedDevice): Node[] {
  const found = new Set<Node>([device.declaration]);
  for (const field of fields.keys()) {
    for (const { statement, helper } of field.creations) {
      if (helper !== undefined) found.add(helper.fn);
      const around = statement.getFirstAncestorByKind(SyntaxKind.ClassDeclaration);
      if (around !== undefined) found.add(around);
    }
  }
  return [...found];
}

interface Group {
  /** Place of its first class. */
  readonly order: number;
  readonly parts: Node[];
  readonly devices: JudgedDevice[];
}

/** Groups of classes that change the same code. */
export function linkedGroups(devices: readonly JudgedDevice[]): JudgedDevice[][] {
  const groups = new Set<Group>();
  const byPart = new Map<Node, Group>();
  for (const [order, device] of devices.entries()) {
    const parts = editedBy(device);
    const touching = new Set(parts.flatMap((each) => byPart.get(each) ?? []));
    const [first, ...others] = [...touching].sort((a, b) => a.order - b.order);
    const group = first ?? { order, parts: [], devices: [] };
    groups.add(group);
    group.devices.push(device);
    for (const other of others) {
      parts.push(...other.parts);
      group.devices.push(...other.devices);
      groups.delete(other);
    }
    group.parts.push(...parts);
    for (const each of parts) byPart.set(each, group);
  }
  return [...groups].map((group) => group.devices);
}
