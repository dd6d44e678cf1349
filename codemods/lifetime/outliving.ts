/** Collections that outlive the device: variables of the file, and static fields. A region in one is not held by it. */
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
  if (!storing.has(name) || !watch.kind.isDevice || watch.kind.isMachine) return;
  const declaration = outlivingCollection(watch, holder);
  if (declaration === undefined) return;
  const { read, emptied } = usesOf(watch, declaration);
  if (!read || emptied) return;
  for (const arg of node.arguments)
    for (const target of watch.targets.of(arg, frame))
      if (isOwnRegion(target) && watch.recordOf(target).owner === "device")
        watch.report(Rule.KeptInStatic, node, target);
}

/** The declaration of a collection that is no part of an object: at the top of a file, or static. */
function outlivingCollection(watch: Watch, holder: ts.Expression): ts.Declaration | undefined {
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

/** Whether the file that declares a collection, or the class, reads it, and whether it takes something out of it. */
function usesOf(
  watch: Watch,
  declaration: ts.Declaration,
): { readonly read: boolean; readonly emptied: boolean } {
  const files = new Set([
    declaration.getSourceFile(),
    ...watch.shape.chain.map((each) => each.getSourceFile()),
  ]);
  let read = false;
  let emptied = false;
  const text = nameText(declaration);
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node.text === text && node.parent !== declaration) {
      if (watch.program.declarationOf(node) === declaration) {
        const use = useOf(node);
        read ||= use === "read";
        emptied ||= use === "emptied";
      }
    }
    ts.forEachChild(node, visit);
  };
  for (const file of files) visit(file);
  return { read, emptied };
}

function nameText(declaration: ts.Declaration): string {
  const name = ts.getNameOfDeclaration(declaration);
  return name !== undefined && ts.isIdentifier(name) ? name.text : "";
}

function useOf(name: ts.Identifier): "stored" | "emptied" | "read" {
  const { parent } = name;
  const value: ts.Node = ts.isPropertyAccessExpression(parent) && parent.name === name ? parent : name;
  const around = value.parent;
  if (ts.isBinaryExpression(around) && around.left === value) return "emptied";
  const access = accessOf(around);
  if (access === undefined || access.object !== value) return "read";
  const user = around.parent;
  if (access.name === "length")
    return ts.isBinaryExpression(user) && user.left === around ? "emptied" : "read";
  if (!ts.isCallExpression(user) || user.expression !== around) return "read";
  if (removing.has(access.name ?? "")) return "emptied";
  return storing.has(access.name ?? "") ? "stored" : "read";
}
