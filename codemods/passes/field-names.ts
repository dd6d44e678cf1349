/** Names for the fields that owned regions without a field get in the embedded form. */
import { type ClassDeclaration, Node, SyntaxKind } from "ts-morph";
import type { DeviceFacts, RegionLocal } from "../regions/facts.ts";
import { newRegion } from "../regions/syntax.ts";
import { descendantsOfKind } from "../source/node-index.ts";
import { propertyOf } from "../source/types.ts";
import type { Evidence } from "./evidence.ts";
import { isReserved } from "./keep.ts";

/**
 * A name for each local: its own or, if the class or one related to it has a member of that name, the first free one of
 * `name2`, `name3` and so on. Of two related classes with locals of one name, the base class keeps it.
 */
export function fieldNamesOf(device: DeviceFacts, evidence: Evidence): Map<RegionLocal, string> {
  const kin = evidence.classes.relativesOf(device.declaration);
  const taken = (name: string): boolean =>
    isReserved(name) ||
    isAskedFor(name, evidence) ||
    propertyOf(device.declaration.getType(), name) !== undefined ||
    kin.some(({ declaration, isBase }) => {
      const { members, regions } = namesIn(declaration);
      return members.has(name) || (isBase && regions.has(name));
    });
  const names = new Map<RegionLocal, string>();
  const used = new Set<string>();
  for (const local of device.locals) {
    const wanted = local.loop === undefined ? local.name : `${local.name}s`;
    let name = wanted;
    for (let number = 2; used.has(name) || taken(name); number++) name = `${wanted}${number}`;
    used.add(name);
    names.set(local, name);
  }
  return names;
}

/** Answers of `isAskedFor`: many classes have locals of the same few names. */
const askedFor = new WeakMap<Evidence, Map<string, boolean>>();

/** `"name" in object`, or `Object.hasOwn(object, "name")`: code that notices whether there is such a field. */
function isAskedFor(name: string, evidence: Evidence): boolean {
  const answers = askedFor.get(evidence) ?? new Map<string, boolean>();
  askedFor.set(evidence, answers);
  const known = answers.get(name) ?? asksFor(name, evidence);
  answers.set(name, known);
  return known;
}

function asksFor(name: string, { tracer }: Evidence): boolean {
  return tracer.names.named(name).some((each) => {
    if (!Node.isStringLiteral(each)) return false;
    const parent = each.getParent();
    if (Node.isBinaryExpression(parent)) return parent.getOperatorToken().getKind() === SyntaxKind.InKeyword;
    return Node.isCallExpression(parent) && /\bhasOwn(?:Property)?$/.test(parent.getExpression().getText());
  });
}

/** Names in a class that a field of one related to it cannot have, or not always. */
interface ClassNames {
  readonly members: ReadonlySet<string>;
  /** Of its local regions, which would become fields as well. */
  readonly regions: ReadonlySet<string>;
}

const namesByClass = new WeakMap<ClassDeclaration, ClassNames>();

function namesIn(declaration: ClassDeclaration): ClassNames {
  const known = namesByClass.get(declaration);
  if (known !== undefined) return known;
  const regions = descendantsOfKind(declaration, SyntaxKind.VariableDeclaration).filter(
    (each) => newRegion(each.getInitializer()) !== undefined,
  );
  const found = {
    members: new Set(declaration.getInstanceMembers().map((each) => each.getName())),
    regions: new Set(regions.map((each) => each.getName())),
  };
  namesByClass.set(declaration, found);
  return found;
}
