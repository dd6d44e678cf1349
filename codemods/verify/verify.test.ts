import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TextEdit } from "../source/edits.ts";
import { Scratch } from "../testing/scratch.ts";
import { type CompilerProblem, type Unit, type VerifyOptions, verify } from "./verify.ts";

let scratch: Scratch;
let texts: Map<string, string>;

beforeEach(() => {
  scratch = new Scratch();
  texts = new Map();
});
afterEach(() => scratch.remove());

interface NamedUnit extends Unit {
  readonly name: string;
}

function source(name: string, ...lines: string[]): void {
  const text = `${lines.join("\n")}\n`;
  texts.set(scratch.write(name, text), text);
}

/** A unit that replaces texts, each of which its file has once. */
function unit(name: string, ...replacements: readonly (readonly [string, string, string])[]): NamedUnit {
  const edits = new Map<string, TextEdit[]>();
  for (const [file, from, to] of replacements) {
    const path = scratch.path(file);
    const start = (texts.get(path) ?? "").indexOf(from);
    if (start < 0) throw new Error(`${file} has no ${from}`);
    edits.set(path, [...(edits.get(path) ?? []), { start, end: start + from.length, text: to }]);
  }
  return { name, edits };
}

function refusals(units: readonly NamedUnit[], options: VerifyOptions = {}): string[] {
  return [...verify(units, texts, options)].map(([{ name }, problem]) => `${name}: ${described(problem)}`);
}

function described({ path, offset, code }: CompilerProblem): string {
  const file = path.slice(scratch.root.length + 1);
  const line = (texts.get(path) ?? "").slice(0, offset).split("\n").length;
  return `${file}:${line} TS${code}`;
}

/** A configuration without libraries, which compiles quickly. */
function configure(name: string, options: object = {}, files: object = {}): void {
  const compilerOptions = { strict: true, target: "ES2023", lib: ["ES2023"], module: "ESNext", ...options };
  scratch.write(
    name,
    JSON.stringify({
      compilerOptions: { moduleResolution: "bundler", allowImportingTsExtensions: true, ...compilerOptions },
      ...files,
    }),
  );
}

describe("a plan", () => {
  test("that compiles is accepted", () => {
    configure("tsconfig.json");
    source("a.ts", "export class A {", "  size = 1;", "}");
    expect(refusals([unit("A", ["a.ts", "size = 1", "size = 2"])])).toEqual([]);
  });

  test("is refused where it does not parse, and the other classes of the file are kept", () => {
    configure("tsconfig.json");
    source("a.ts", "export class A {", "  size = 1;", "}", "export class B {", "  size = 1;", "}");
    const broken = unit("A", ["a.ts", "A {\n  size = 1", "A {\n  size = (1"]);
    const fine = unit("B", ["a.ts", "B {\n  size = 1", "B {\n  size = 2"]);
    expect(refusals([broken, fine])).toEqual(["A: a.ts:2 TS1005"]);
  });

  test("is refused where its types are wrong", () => {
    configure("tsconfig.json");
    source("a.ts", "export class A {", "  size: number = 1;", "}");
    source("b.ts", "export class B {", "  size: number = 1;", "}");
    const wrong = unit("A", ["a.ts", "= 1", '= "one"']);
    expect(refusals([wrong, unit("B", ["b.ts", "= 1", "= 2"])])).toEqual(["A: a.ts:2 TS2322"]);
  });

  test("is refused for what it breaks in a file that imports it", () => {
    configure("tsconfig.json");
    source("a.ts", "export class A {", "  size = 1;", "}");
    source("b.ts", "export class B {", "  size = 1;", "}");
    source(
      "user.ts",
      'import { A } from "./a.ts";',
      'import { B } from "./b.ts";',
      "export const sum = new A().size + new B().size;",
    );
    const wrong = unit("A", ["a.ts", "size = 1", "private size = 1"]);
    expect(refusals([unit("B", ["b.ts", "= 1", "= 2"]), wrong])).toEqual(["A: user.ts:3 TS2341"]);
  });

  test("is refused for what it breaks in a class that derives from a derived class", () => {
    configure("tsconfig.json");
    source("base.ts", "export class Base {", "  size = 1;", "}");
    source("middle.ts", 'import { Base } from "./base.ts";', "export class Middle extends Base {}");
    source(
      "top.ts",
      'import { Middle } from "./middle.ts";',
      "class Top extends Middle {",
      "  io = 1;",
      "}",
      "new Top();",
    );
    const wrong = unit("Base", ["base.ts", "size = 1;", "size = 1;\n  private io = 2;"]);
    expect(refusals([wrong])).toEqual(["Base: top.ts:2 TS2415"]);
  });

  test("is refused for what it breaks through a file that exports it again", () => {
    configure("tsconfig.json");
    source("a.ts", "export class A {", "  size = 1;", "}");
    source("index.ts", 'export * from "./a.ts";');
    source("user.ts", 'import { A } from "./index.ts";', "export const size = new A().size;");
    expect(refusals([unit("A", ["a.ts", "size = 1", "private size = 1"])])).toEqual(["A: user.ts:2 TS2341"]);
  });

  test("of two classes that only together do not compile, one is kept", () => {
    configure("tsconfig.json");
    source("base.ts", "export class Base {", "  size = 1;", "}");
    source(
      "top.ts",
      'import { Base } from "./base.ts";',
      "export class Top extends Base {",
      "  limit = 1;",
      "}",
    );
    const base = unit("Base", ["base.ts", "size = 1;", "size = 1;\n  private io = 1;"]);
    const top = unit("Top", ["top.ts", "limit = 1;", "limit = 1;\n  private io = 1;"]);
    expect(refusals([base, top])).toEqual(["Base: top.ts:2 TS2415"]);
  });

  test("with a unit that spans files is refused as a whole", () => {
    configure("tsconfig.json");
    source("helper.ts", "export function size(): number {", "  return 1;", "}");
    source("a.ts", 'import { size } from "./helper.ts";', "export const a: number = size();");
    const both = unit(
      "size",
      ["helper.ts", "size(): number", "size(of: number): number"],
      ["a.ts", "size()", 'size("a")'],
    );
    expect(refusals([both])).toEqual(["size: a.ts:2 TS2345"]);
  });
});

describe("diagnostics that were there before", () => {
  test("refuse nothing, wherever the edits move them", () => {
    configure("tsconfig.json");
    source("a.ts", "export class A {", "  size = 1;", "  old: string = 1;", "}");
    expect(refusals([unit("A", ["a.ts", "size = 1;", "size = 1;\n  more = 2;"])])).toEqual([]);
  });

  test("do not hide a new one of the same kind", () => {
    configure("tsconfig.json");
    source("a.ts", "export class A {", "  size = 1;", "  old: string = 1;", "}");
    const wrong = unit("A", ["a.ts", "size = 1;", "size: string = 1;"]);
    expect(refusals([wrong])).toEqual(["A: a.ts:2 TS2322"]);
  });
});

describe("a diagnostic that was there before in other words", () => {
  test("refuses nothing: messages show types, which change", () => {
    configure("tsconfig.json");
    source("a.ts", "export class A {", "  private size = 1;", "  more = 2;", "}");
    source("b.ts", 'import { A } from "./a.ts";', "export const a: A = {};");
    expect(refusals([unit("A", ["a.ts", "private size = 1;", "private size = 1; less = 0;"])])).toEqual([]);
  });

  test("does not hide a second one in the same place", () => {
    configure("tsconfig.json");
    source("a.ts", "export const sum = missing + 1;");
    expect(refusals([unit("sum", ["a.ts", "missing + 1", "missing + 2"])])).toEqual([]);
    const wrong = unit("sum", ["a.ts", "missing + 1", "missing + gone"]);
    expect(refusals([wrong])).toEqual(["sum: a.ts:1 TS2304"]);
  });
});

describe("the user's own options", () => {
  const unusedAfter = () => {
    source("a.ts", "export function f(): void {", "  let n = 1;", "  f.call(n);", "}");
    return unit("f", ["a.ts", "  f.call(n);\n", ""]);
  };

  test("decide: an unused local is an error for some only", () => {
    configure("tsconfig.json");
    expect(refusals([unusedAfter()])).toEqual([]);
    configure("tsconfig.json", { noUnusedLocals: true });
    expect(refusals([unusedAfter()])).toEqual(["f: a.ts:2 TS6133"]);
  });

  test("are inherited by `extends`", () => {
    configure("base.json", { noUnusedLocals: true });
    scratch.write("tsconfig.json", JSON.stringify({ extends: "./base.json" }));
    expect(refusals([unusedAfter()])).toEqual(["f: a.ts:2 TS6133"]);
  });

  test("are those of the referenced project that has the file", () => {
    configure("tsconfig.app.json", { noUnusedLocals: true, composite: true }, { include: ["*.ts"] });
    scratch.write(
      "tsconfig.json",
      JSON.stringify({ files: [], references: [{ path: "./tsconfig.app.json" }] }),
    );
    expect(refusals([unusedAfter()])).toEqual(["f: a.ts:2 TS6133"]);
  });

  test("are those of the nearest tsconfig.json that has the file", () => {
    configure("tsconfig.json", { noUnusedLocals: true });
    configure("sub/tsconfig.json", {}, { include: ["other"] });
    source("sub/a.ts", "export function f(): void {", "  let n = 1;", "  f.call(n);", "}");
    expect(refusals([unit("f", ["sub/a.ts", "  f.call(n);\n", ""])])).toEqual(["f: sub/a.ts:2 TS6133"]);
  });

  test("may ask for declarations, which need types that are written down", () => {
    configure("tsconfig.json", { isolatedDeclarations: true, declaration: true });
    source("a.ts", "function one() {", "  return 1;", "}", "export const size: number = one();");
    expect(refusals([unit("size", ["a.ts", "size: number", "size"])])).toEqual(["size: a.ts:4 TS9010"]);
  });

  test("come with the declarations that the configuration has", () => {
    configure("tsconfig.json");
    scratch.write("globals.d.ts", "declare const limit: number;");
    source("a.ts", "export const size: number = 1;");
    expect(refusals([unit("size", ["a.ts", "= 1", "= limit"])])).toEqual([]);
    expect(refusals([unit("size", ["a.ts", "= 1", "= limits"])])).toEqual(["size: a.ts:1 TS2552"]);
  });

  test("that do not exist are replaced by strict ones", () => {
    source("a.ts", "export const size: number | undefined = 1;", "export const one: number = size;");
    const wrong = unit("one", ["a.ts", "undefined = 1", "undefined = Number('') || undefined"]);
    expect(refusals([wrong])).toEqual(["one: a.ts:2 TS2322"]);
  });
});

test("unparsable plans of several files in several configurations are each refused", () => {
  configure("one/tsconfig.json");
  configure("two/tsconfig.json");
  source("one/a.ts", "export const a = 1;");
  source("two/b.ts", "export const b = 1;");
  const units = [unit("a", ["one/a.ts", "= 1", "= ("]), unit("b", ["two/b.ts", "= 1", "= ("])];
  expect(refusals(units)).toEqual(["a: one/a.ts:1 TS1109", "b: two/b.ts:1 TS1109"]);
});

test("a plan of very many files is checked some at a time", () => {
  configure("tsconfig.json");
  const comment = `// ${"x".repeat(300_000)}`;
  const names = [0, 1, 2, 3, 4, 5, 6].map((index) => `a${index}.ts`);
  for (const name of names) {
    const other = `./a${(Number(name[1]) + 3) % 7}.ts`;
    source(
      name,
      comment,
      `import { type A as B } from "${other}";`,
      "export class A {",
      "  size = 1;",
      "}",
      "export const b = (b: B) => b.size;",
    );
  }
  const units = names.map((name, index) =>
    unit(name, [name, "size = 1", index === 5 ? "private size = 1" : "size = 2"]),
  );
  expect(refusals(units)).toEqual(["a5.ts: a2.ts:6 TS2341"]);
});

test("files of other kinds are compiled as what they are", () => {
  configure("tsconfig.json", { jsx: "preserve" });
  source("a.mts", "export const a: number = 1;");
  source("b.cts", "export const b: number = 1;");
  source("c.tsx", "export const c: number = 1;");
  const wrong = (name: string) => unit(name, [name, "= 1", '= "x"']);
  expect(refusals([wrong("a.mts"), wrong("b.cts"), wrong("c.tsx")])).toEqual([
    "a.mts: a.mts:1 TS2322",
    "b.cts: b.cts:1 TS2322",
    "c.tsx: c.tsx:1 TS2322",
  ]);
});
