/** What the compiler finds after its searches were spared, against what it finds by itself. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { type SourceFile, ts } from "ts-morph";
import { describe, expect, test } from "vitest";
import { forgetPlainFlow } from "./plain-flow.ts";
import { newProject } from "./workspace.ts";

const head = `
import { type Shape, shape, chosen as other } from "./shapes.ts";
interface Maker<T> { new (): T }
export class Bank { size = 1; show(_: unknown = 0): this is Rom { return true; } }
export class Rom extends Bank { rom = true; }
const shapes: Shape = shape;
const isRound = shapes.kind === "round";
const bank: Bank = new Bank();
const isRom = bank instanceof Rom;
class Root {
  embed<T extends object>(type: Maker<T>): T { return new type(); }
  isLeaf(): this is Device & { leaf: true } { return true; }
}
export class Device extends Root {
  readonly bank = this.embed(Bank);
  readonly typed: Bank = new Rom();
  either: Bank | Rom[] = [];
  optional?: Bank;
  count = 0;
  kind: "a" | "b" = "a";
  call(..._: unknown[]): void {}
`;

/** Statements that use \`this\`, its fields, imports and constants, and some that narrow one of them. */
const statements = [
  "this.call(this.bank, this.typed, shapes, other, bank);",
  "this.bank.show(this);",
  "const early = this.bank; this.call(early);",
  "this.either = new Bank(); this.call(this.either);",
  "this.optional = undefined; this.call(this.optional);",
  "this.optional?.show(this.optional);",
  "if (this.bank instanceof Rom) this.call(this.bank.rom, this.bank);",
  "if (this.isLeaf()) this.call(this.leaf, this);",
  "const leaf = this.isLeaf(); if (leaf) this.call(this.leaf);",
  "const fromOther = leafOf(this); const again = fromOther; if (again) this.call(this);",
  'const { kind } = this; switch (kind) { case "a": this.call(this.kind); }',
  "if (!(this.typed instanceof Rom)) { this.call(this.typed); return; }",
  "if (isRound) this.call(shapes.radius, shapes);",
  "if (isRom) this.call(bank.rom, bank);",
  'if (shapes.kind === "round") this.call(shapes.radius);',
  'if (other.kind !== "round") { this.call(other); return; }',
  'const isOther = other.kind === "round"; if (isOther) this.call(other.radius);',
  "while (this.count < 3) { this.count++; this.call(this.count, this.bank, shapes); }",
  "for (const shapes of [1, 2]) this.call(shapes, this.bank);",
  "[bank].forEach((bank) => this.call(bank, this, other));",
  "{ const other = 1; this.call(other); }",
  "(function (this: Bank) { return this.size; }).call(bank);",
  "class Inner { size = shapes; own() { return this.size; } } this.call(new Inner().own());",
  "this.bank.show() && this.call(this.bank);",
  "const value = this.optional ?? this.bank; this.call(value, this.optional);",
  "this.call(bank.show() ? bank : this.bank);",
  "try { this.call(other); } catch (bank) { this.call(bank); }",
  'throw new Error("end");',
];

const shapesText = `
export type Shape = { kind: "round"; radius: number } | { kind: "square"; side: number };
export const shape = { kind: "square", side: 1 } as Shape;
export const chosen = shape;
`;

/** One source, and another in which the searches were spared. */
function pair(texts: ReadonlyMap<string, string>): [SourceFile, SourceFile][] {
  const [plain, spared] = [newProject(), newProject()].map((project) =>
    [...texts].map(([path, text]) => project.createSourceFile(path, text, { overwrite: true })),
  );
  const program = spared?.[0]?.getProject().getProgram().compilerObject;
  if (plain === undefined || spared === undefined || program === undefined) throw new Error("no sources");
  const files = spared.map((file) => file.compilerNode);
  forgetPlainFlow(program, files, 0);
  return plain.map((file, index) => [file, spared[index] ?? file]);
}

/** Every diagnostic of a file, and the type of each of its expressions. */
function found(file: SourceFile): string[] {
  const program = file.getProject().getProgram().compilerObject;
  const checker = program.getTypeChecker();
  const lines = program
    .getSemanticDiagnostics(file.compilerNode)
    .map(({ start, messageText }) => `${start}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`);
  const visit = (node: ts.Node): void => {
    if (ts.isExpression(node) && !ts.isPartOfTypeNode(node)) {
      const type = checker.typeToString(checker.getTypeAtLocation(node));
      lines.push(`${node.getStart()} ${node.getText().slice(0, 40)}: ${type}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file.compilerNode);
  return lines;
}

/** How many nodes that have a place in the flow of control have lost it. */
function spared([plain, other]: readonly [SourceFile, SourceFile]): number {
  const count = (file: SourceFile): number => {
    let flowing = 0;
    const visit = (node: ts.Node & { readonly flowNode?: unknown }): void => {
      if (node.flowNode !== undefined) flowing++;
      ts.forEachChild(node, visit);
    };
    visit(file.compilerNode);
    return flowing;
  };
  return count(plain) - count(other);
}

function sourceOf(bodies: readonly (readonly string[])[]): string {
  const methods = bodies.map((body, index) => `  method${index}() {\n    ${body.join("\n    ")}\n  }\n`);
  const own = "declare function leafOf(value: unknown): value is Device & { leaf: true };\n";
  return `${head}${methods.join("")}}\n${own}`;
}

describe("methods whose flow is forgotten", () => {
  test("have the types and diagnostics that the compiler finds by itself", () => {
    const body = fc.uniqueArray(fc.constantFrom(...statements), { minLength: 1, maxLength: 5 });
    const bodies = fc.sample(body, { numRuns: 600, seed: 1 });
    const groups = Array.from({ length: 30 }, (_, index) => bodies.slice(index * 20, index * 20 + 20));
    const sources = groups.map((each, index): [string, string] => [`/${index}.ts`, sourceOf(each)]);
    const pairs = pair(new Map([...sources, ["/shapes.ts", shapesText]]));
    for (const [plain, other] of pairs) expect(found(other)).toEqual(found(plain));
    expect(pairs.reduce((sum, each) => sum + spared(each), 0)).toBeGreaterThan(1000);
  });

  test("are those of no program that may have assertions", () => {
    const text = sourceOf([["assertRom(this.bank);", "this.call(this.bank.rom);"]]);
    const assertion = "export function assertRom(bank: Bank): asserts bank is Rom { bank.show(); }\n";
    const pairs = pair(
      new Map([
        ["/0.ts", text + assertion],
        ["/shapes.ts", shapesText],
      ]),
    );
    for (const each of pairs) {
      expect(found(each[1])).toEqual(found(each[0]));
      expect(spared(each)).toBe(0);
    }
  });

  test("of all devices have the types and diagnostics that the compiler finds by itself", () => {
    const root = join(import.meta.dirname, "../../emulator/hw/embedded");
    const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
      /\.ts$/.test(path),
    );
    const texts = paths.map((path) => join(root, path));
    const sources = newProject().addSourceFilesAtPaths(texts);
    const pairs = pair(new Map(sources.map((file) => [file.getFilePath(), file.getFullText()])));
    for (const [plain, other] of pairs) expect(found(other)).toEqual(found(plain));
    expect(pairs.reduce((sum, each) => sum + spared(each), 0)).toBeGreaterThan(500);
  });
});
