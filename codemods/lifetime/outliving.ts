/** What outlives the device: variables of the file, and static fields. A region in one is not held by it. */
import { ts } from "ts-morph";
import { accessOf, type Frame, strip } from "../flow/index.ts";
import { Rule } from "./rules.ts";
import { isOwnRegion } from "./targets.ts";
import type { Watch } from "./watch.ts";

const storing: ReadonlySet<string> = new Set(["push", "unshift", "add", "set"]);
const removing: ReadonlySet<string> = new Set(["delete", "splice", "clear", "pop", "shift"]);

/** `windows.push(region)`, if code other than that reads `windows`, and nothing takes regions out of it. */
export function keepOutside(
  watch: Watch,
  node: ts.CallExpression,
  name: string,
  holder: ts.Expression,
  frame: Frame,
): void {
  if (storing.has(name)) keep(watch, node, holder, node.arguments, frame);
}

/** The same for `last = region`, `windows[0] = region` and `windows.first = region`. */
export function assignOutside(watch: Watch, node: ts.BinaryExpression, frame: Frame): void {
  if (node.operatorToken.kind !== ts.SyntaxKind.EqualsToken || !watch.isRegion(node.right)) return;
  const target = strip(node.left);
  const held = accessOf(target)?.object;
  const holder = outlivingHolder(watch, target) === undefined ? held : target;
  if (holder !== undefined) keep(watch, node, holder, [node.right], frame);
}

function keep(
  watch: Watch,
  node: ts.Node,
  holder: ts.Expression,
  values: readonly ts.Expression[],
  frame: Frame,
): void {
  if (!watch.kind.isDevice || watch.kind.isMachine) return;
  const declaration = outlivingHolder(watch, holder);
  if (declaration === undefined) return;
  const { read, emptied } = usesOf(watch, declaration);
  if (!read || emptied) return;
  for (const value of values)
    for (const target of watch.targets.of(value, frame))
      if (isOwnRegion(target) && watch.recordOf(target).owner === "device")
        watch.report(Rule.KeptInStatic, node, target);
}

/** The declaration of a variable or collection that is no part of an object: at the top of a file, or static. */
function outlivingHolder(watch: Watch, holder: ts.Expression): ts.Declaration | undefined {
  const name = strip(holder);
  if (!ts.isIdentifier(name) && !ts.isPropertyAccessExpression(name)) return undefined;
  const declaration = watch.program.declarationOf(ts.isIdentifier(name) ? name : name.name);
  if (declaration === undefined || watch.program.isOutside(declaration)) return undefined;
  if (ts.isVariableDeclaration(declaration)) {
    const list = declaration.parent.parent;
    return ts.isVariableStatement(list) && ts.isSourceFile(list.parent) ? declaration : undefined;
  }
  const isStatic =
    ts.isPropertyDeclaration(declaration) &&
    (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Static) !== 0;
  return isStatic ? declaration : undefined;
}

/** Whether any code reads what a declaration declares, and whether any takes something out of it. */
function usesOf(
  watch: Watch,
  declaration: ts.Declaration,
): { readonly read: boolean; readonly emptied: boolean } {
  const files = new Set([
    declaration.getSourceFile(),
    ...watch.program.classes.map((each) => each.getSourceFile()),
  ]);
  let read = false;
  let emptied = false;
  const text = nameText(declaration);
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node.text === text && node.parent !== declaration) {
      if (watch.program.declarationOf(node) === declaration) {
        const use = useOf(watch, node);
        read ||= use === "read";
        emptied ||= use === "emptied";
      }
    }
    ts.forEachChild(node, visit);
  };
  for (const file of files) if (file.text.includes(text)) visit(file);
  return { read, emptied };
}

function nameText(declaration: ts.Declaration): string {
  const name = ts.getNameOfDeclaration(declaration);
  return name !== undefined && ts.isIdentifier(name) ? name.text : "";
}

type Use = "stored" | "emptied" | "read";

function useOf(watch: Watch, name: ts.Identifier): Use {
  const { parent } = name;
  const value: ts.Node = ts.isPropertyAccessExpression(parent) && parent.name === name ? parent : name;
  const around = value.parent;
  const assigned = useByAssignment(watch, value);
  if (assigned !== undefined) return assigned;
  const access = accessOf(around);
  if (access === undefined || access.object !== value) return "read";
  const user = around.parent;
  if (access.name === "length")
    return ts.isBinaryExpression(user) && user.left === around ? "emptied" : "read";
  if (ts.isDeleteExpression(user)) return "emptied";
  const ofElement = useByAssignment(watch, around);
  if (ofElement !== undefined) return ofElement;
  if (!ts.isCallExpression(user) || user.expression !== around) return "read";
  if (removing.has(access.name ?? "")) return "emptied";
  return storing.has(access.name ?? "") ? "stored" : "read";
}

/** What an assignment to `target` does; undefined if there is none. */
function useByAssignment(watch: Watch, target: ts.Node): Use | undefined {
  const { parent } = target;
  if (!ts.isBinaryExpression(parent) || parent.left !== target) return undefined;
  if (parent.operatorToken.kind !== ts.SyntaxKind.EqualsToken) return undefined;
  return watch.isRegion(parent.right) ? "stored" : "emptied";
}
