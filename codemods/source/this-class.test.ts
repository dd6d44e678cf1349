/** The class that a `this` belongs to, and what the compiler says its type is. */
import { SyntaxKind, ts } from "ts-morph";
import { expect, test } from "vitest";
import { classOfThis } from "./this-class.ts";
import { newProject } from "./workspace.ts";

const text = `
class Base {
  value = [this];
  static made = [this, 1];
  list = () => [this, 2];
  constructor(readonly first = [this, 3]) { (() => () => [this, 4])(); }
  get own() { return [this, 5]; }
  method() {
    function nested(this: unknown) { return [this, 6]; }
    const object = { take() { return [this, 7]; }, arrow: () => [this, 8] };
    class Inner { inner() { return [this, 9]; } [String(this)] = 10; }
    return [nested, object, Inner, function () { return [this, 11]; }];
  }
  static of() { return [this, 12]; }
  static { [this, 13]; }
  taken(this: Base & { more: number }) { return [this, 14]; }
  narrowed() { return this instanceof Derived ? [this, 15] : []; }
}
class Derived extends Base { override method() { return [this as never, 16]; } }
const Unnamed = class { method() { return [this, 17]; } };
console.log(this);
`;

const file = newProject().createSourceFile("/this.ts", text);
const places = file.getDescendantsOfKind(SyntaxKind.ThisKeyword);

test("is found where nothing but the class around decides it", () => {
  const found = places.map((each) => {
    const list = each.getFirstAncestorByKind(SyntaxKind.ArrayLiteralExpression);
    return `${list?.getText().match(/\d+/)?.[0] ?? "-"} ${classOfThis(each.compilerNode)?.name?.text ?? "-"}`;
  });
  const own = ["Base", "Base"];
  expect(found).toEqual([
    `- ${own[0]}`,
    ..."1 -,2 Base,3 Base,4 Base,5 Base,6 -,7 -,8 Base,9 Inner,- -,11 -,12 -,13 -,14 -".split(","),
    "- Base",
    "15 Base",
    "16 Derived",
    "17 -",
    "- -",
  ]);
});

test("is a class whose own members the compiler finds there", () => {
  const checker = file.getProject().getTypeChecker().compilerObject;
  for (const { compilerNode } of places) {
    const holder = classOfThis(compilerNode);
    for (const member of holder?.members ?? []) {
      const name = member.name && ts.isIdentifier(member.name) ? member.name.text : undefined;
      if (name === undefined || ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static) continue;
      const property = checker.getTypeAtLocation(compilerNode).getProperty(name);
      const declared = property?.declarations?.map((each) => each.parent);
      const overridden = declared?.some(
        (each) => ts.isClassDeclaration(each) && each.name?.text === "Derived",
      );
      expect(declared?.includes(holder as ts.ClassDeclaration) || overridden).toBe(true);
    }
  }
});
