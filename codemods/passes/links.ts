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

/** Groups of classes that change the same code. */
export function linkedGroups(devices: readonly JudgedDevice[]): JudgedDevice[][] {
  const groups: { readonly parts: Set<Node>; readonly devices: JudgedDevice[] }[] = [];
  for (const device of devices) {
    const parts = editedBy(device);
    const touching = groups.filter((group) => parts.some((each) => group.parts.has(each)));
    const [first, ...others] = touching;
    if (first === undefined) {
      groups.push({ parts: new Set(parts), devices: [device] });
      continue;
    }
    for (const each of parts) first.parts.add(each);
    first.devices.push(device);
    for (const other of others) {
      for (const each of other.parts) first.parts.add(each);
      first.devices.push(...other.devices);
      groups.splice(groups.indexOf(other), 1);
    }
  }
  return groups.map((group) => group.devices);
}
