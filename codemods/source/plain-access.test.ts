/** What plain accesses name, against what the compiler says after following every condition. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type SourceFile, ts } from "ts-morph";
import { describe, expect, test } from "vitest";
import { plainProperty, plainType, typeOfField } from "./plain-access.ts";
import { newProject } from "./workspace.ts";

const text = `
interface Maker<T> { new (): T }
class Bank { size = 1; show(): void {} }
class Rom extends Bank { override show(): void {} }
class Box<T> { constructor(readonly value?: T) {} }
class Root {
  protected embed<T extends object>(type: Maker<T>): T { return new type(); }
  protected wrap<T>(type: { make(): T }): T { return type.make(); }
  static make(): Bank { return new Bank(); }
}
class Device extends Root {
  readonly bank = this.embed(Bank);
  readonly other = this.embed(Bank);
  readonly made = this.wrap(Root);
  readonly box = this.embed(Box);
  either: Bank | Rom[] = [];
  optional?: Bank;
  #hidden = this.embed(Bank);
  plain() { this.bank.show(); this.#hidden.show(); return this.made.size; }
  tested() { if (this.bank instanceof Rom) this.bank.show(); this.other.show(); }
  aliased() { const isRom = this.bank instanceof Rom; if (isRom) this.bank.show(); }
  chosen() { return this.bank instanceof Rom && this.bank.show(); }
  unions() { if (!Array.isArray(this.either)) this.either.show(); this.optional?.show(); }
  nested() { [1].forEach(() => this.bank.show()); return function (this: Box<Bank>) { return this.value; }; }
  static of() { return this.make(); }
}
`;

/** What is answered about the accesses and fields of a file, and what the compiler says of them. */
function compare(
  file: SourceFile,
): readonly { readonly code: string; readonly ours: string; readonly theirs: string }[] {
  const checker = file.getProject().getTypeChecker().compilerObject;
  const placesOf = (symbol: ts.Symbol | undefined) =>
    (symbol?.declarations ?? []).map((each) => `${each.getSourceFile().fileName}:${each.pos}`).join();
  const results: { code: string; ours: string; theirs: string }[] = [];
  const add = (node: ts.Node, ours: string, theirs: string) =>
    results.push({ code: node.getText(), ours, theirs });
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node)) {
      const property = plainProperty(node, checker);
      if (property !== undefined)
        add(node, placesOf(property), placesOf(checker.getSymbolAtLocation(node.name)));
      const type = plainType(node, checker);
      if (type !== undefined)
        add(node, checker.typeToString(type), checker.typeToString(checker.getTypeAtLocation(node)));
    } else if (ts.isPropertyDeclaration(node)) {
      const theirs = checker.typeToString(checker.getTypeAtLocation(node));
      add(node, checker.typeToString(typeOfField(node, checker)), theirs);
    }
    ts.forEachChild(node, visit);
  };
  visit(file.compilerNode);
  return results;
}

describe("plain accesses", () => {
  test("are answered as by the compiler, and not where a condition may decide", () => {
    const results = compare(newProject().createSourceFile("/plain.ts", text));
    for (const { code, ours, theirs } of results) expect(ours, code).toBe(theirs);
    const answered = results.map(({ code }) => code);
    expect(answered.filter((code) => code === "this.bank.show").length).toBe(2); // in plain and nested
    expect(answered).toContain("this.other.show");
    expect(answered).not.toContain("this.either.show");
    expect(answered).not.toContain("this.value");
  });

  test("of all devices are answered as by the compiler", () => {
    const root = join(import.meta.dirname, "../../emulator/hw");
    const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
      /\.ts$/.test(path),
    );
    const project = newProject();
    const files = paths.map((path) => project.addSourceFileAtPath(join(root, path)));
    const results = files.flatMap(compare);
    expect(results.length).toBeGreaterThan(1000);
    for (const { code, ours, theirs } of results) expect(ours, code).toBe(theirs);
  });
});
