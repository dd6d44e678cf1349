/** What the index finds is what ts-morph finds by walking. */
import { type Node, SyntaxKind } from "ts-morph";
import { expect, test } from "vitest";
import { RICH_EMBEDDED } from "../testing/rich-device.ts";
import { descendantsOfKind, identifiersIn, mentionsOf, namesIn } from "./node-index.ts";
import { newProject } from "./workspace.ts";

const awkward = `
/** See {@link size} and {@link Two.size}. @param size not this one */
export function one(/** the size */ size: number, other = size): number {
  /** Of {@link other}. */
  size
  return ((size))
}
@sealed
class Two<size> {
  #size = 1;
  /** @see size */
  size = "size";
  [\`size\`]: unknown;
  static { f(() => f(f(1))) }
  method({ size, ...rest } = this) { if (#size in this) return rest; else for (const size in rest) f(f)(size) }
}
const size = class size { get size() { return this.size; } };
f(f(f))
`;

const kinds = [
  SyntaxKind.CallExpression,
  SyntaxKind.ClassDeclaration,
  SyntaxKind.ExpressionStatement,
  SyntaxKind.ParenthesizedExpression,
  SyntaxKind.PropertyAccessExpression,
  SyntaxKind.PropertyDeclaration,
  SyntaxKind.ReturnStatement,
  SyntaxKind.ThisKeyword,
  SyntaxKind.VariableDeclaration,
] as const;

function scopesIn(text: string): Node[] {
  const file = newProject().createSourceFile("/device.ts", text);
  return [file, ...file.forEachDescendantAsArray().filter((each) => each.getKind() >= SyntaxKind.FirstNode)];
}

/** Names in a scope, by a walk. */
function walked(scope: Node, name: string): Node[] {
  const all = [
    ...scope.getDescendantsOfKind(SyntaxKind.Identifier),
    ...scope.getDescendantsOfKind(SyntaxKind.PrivateIdentifier),
  ];
  return all.filter((each) => each.getText() === name);
}

function isInComment(node: Node): boolean {
  return node.getAncestors().some((each) => each.getKindName().startsWith("JSDoc"));
}

for (const [what, text] of Object.entries({ "awkward code": awkward, "a device": RICH_EMBEDDED })) {
  test(`the nodes of one kind in every scope of ${what}`, () => {
    for (const scope of scopesIn(text)) {
      for (const kind of kinds) {
        expect(descendantsOfKind(scope, kind)).toEqual(scope.getDescendantsOfKind(kind));
      }
    }
  });

  test(`the names in every scope of ${what}, with and without those in comments`, () => {
    const scopes = scopesIn(text);
    const names = new Set(scopes.flatMap((scope) => walked(scope, "size").map((each) => each.getText())));
    for (const name of [...names, "#size", "f", "this", "registers", "other", "nowhere"]) {
      for (const scope of scopes) {
        const expected = walked(scope, name);
        expect(identifiersIn(scope, name)).toEqual(expected);
        const inCode = expected.filter((each) => !isInComment(each)).map((each) => each.compilerNode);
        expect(namesIn(scope, name)).toEqual(inCode);
      }
    }
  });
}

test("only the nodes that are chosen", () => {
  const [file] = scopesIn("f(1); g(2); f(3);");
  const found =
    file && descendantsOfKind(file, SyntaxKind.CallExpression, (node) => node.getText()[0] === "f");
  expect(found?.map((each) => each.getText())).toEqual(["f(1)", "f(3)"]);
});

test("every mention of a name: identifiers and strings, not comments", () => {
  const file = newProject().createSourceFile("/device.ts", awkward);
  const found = mentionsOf(file, "size").map((each) => `${each.getStartLineNumber()} ${each.getText()}`);
  const words = awkward.split("\n").flatMap((line, index) => {
    const code = line.replace(/\/\*\*.*?\*\//g, "");
    return [...code.matchAll(/(?<![\w#])(["`]?)size\1/g)].map(([word]) => `${index + 1} ${word}`);
  });
  expect(found).toEqual(words);
});
