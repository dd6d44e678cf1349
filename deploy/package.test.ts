import { existsSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, posix, relative } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { Emulation, loadHardware } from "#machine";
import { workloads } from "#workloads";
import { generateInterpreter, USUAL } from "../emulator/cpu/riscv/interpreter/generate.ts";
import { CLI, root } from "./testing/command-line.ts";
import { listPackage } from "./testing/package.ts";

if (!existsSync(join(root, CLI))) throw new Error(`${CLI} is missing; run npm run build first`);

const READY_MADE = "dist/emulator/cpu/riscv/interpreter/usual.wasm";
const { files, size } = listPackage();
const packed = new Set(files.map(({ path }) => path));
const manifest: {
  dependencies: Record<string, string>;
  imports: Record<string, { default: string }>;
  exports: Record<string, { types?: string }>;
} = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/**
 * Specifiers of a module's static and dynamic imports, of the modules that a CommonJS module requires, and files that
 * it locates by `new URL(…, import.meta.url)`, or by what stands for that in CommonJS.
 */
function referencesIn(text: string, isCommonJs = false): string[] {
  const references: string[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node) ?? (isCommonJs ? requiredBy(node) : undefined);
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) {
      const { text } = specifier;
      references.push(ts.isNewExpression(node) && !text.startsWith(".") ? `./${text}` : text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("module.js", text, ts.ScriptTarget.Latest, true));
  return references;
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return node.arguments[0];
  const [file, base] = ts.isNewExpression(node) ? (node.arguments ?? []) : [];
  const besideThis = base !== undefined && /^import\.meta\.|pathToFileURL\(__filename\)/.test(base.getText());
  // A folder, as "..", is no file to look for.
  return besideThis && file !== undefined && ts.isStringLiteralLike(file) && /\.\w+$/.test(file.text)
    ? file
    : undefined;
}

function requiredBy(node: ts.Node): ts.Node | undefined {
  return ts.isCallExpression(node) && node.expression.getText() === "require" ? node.arguments[0] : undefined;
}

/** Why a module's import cannot work in an installed package; null where it can. */
function whyBroken(importer: string, specifier: string): string | null {
  const name = `${importer}: ${specifier}`;
  if (specifier.startsWith(".")) {
    const target = posix.join(posix.dirname(importer), specifier);
    return packed.has(target) ? null : `${name} is not in the package`;
  }
  if (specifier.startsWith("#")) {
    const target = manifest.imports[specifier]?.default.replace("./", "");
    return target !== undefined && packed.has(target) ? null : `${name} is not a component of the package`;
  }
  if (specifier.startsWith("node:") || builtinModules.includes(specifier)) return null;
  const [first = "", second = ""] = specifier.split("/");
  const dependency = first.startsWith("@") ? `${first}/${second}` : first;
  return dependency in manifest.dependencies ? null : `${name} is no dependency`;
}

describe("the npm package", () => {
  it("has all modules that its modules import", () => {
    const modules = [...packed].filter((path) => /\.c?js$/.test(path));
    expect(modules).toContain(CLI);
    expect(modules).toContain("dist/bin/program.cjs");
    const broken = modules.flatMap((path) => {
      const references = referencesIn(readFileSync(join(root, path), "utf8"), path.endsWith(".cjs"));
      return references.map((specifier) => whyBroken(path, specifier)).filter((reason) => reason !== null);
    });
    expect(broken).toEqual([]);
  });

  it.each([
    ["import a from 'b';", ["b"]],
    ["export { a } from './b.js'; export const c = 1;", ["./b.js"]],
    ["const a = await import('#b');", ["#b"]],
    [
      "new URL('./child.js', import.meta.url); new URL('..', import.meta.url); new URL('a.b', 'c:'); new URL('d.e', import.meta.url)",
      ["./child.js", "./d.e"],
    ],
    ["const a = require('b'); // import 'c'", []],
  ])("refers in %j to %j", (text, references) => {
    expect(referencesIn(text)).toEqual(references);
  });

  it.each([
    ["const a = require('b'); import('c').then(() => require('./d.cjs'));", ["b", "c", "./d.cjs"]],
    ["new URL('./a.wasm', require('url').pathToFileURL(__filename).href)", ["./a.wasm", "url"]],
  ])("refers as CommonJS in %j to %j", (text, references) => {
    expect(referencesIn(text, true)).toEqual(references);
  });

  it("has what its pages link to, but for what only the repository has, which the README says", () => {
    const pages = [...packed].filter((path) => path.endsWith(".md"));
    expect(pages).toEqual(expect.arrayContaining(["README.md", "CHANGELOG.md", "docs/codemods.md"]));
    const targets = pages.flatMap((page) =>
      [...readFileSync(join(root, page), "utf8").matchAll(/\]\(([^)#\s]+)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !/^[a-z]+:|…/.test(target))
        .map((target) => posix.join(posix.dirname(page), target)),
    );
    expect(targets.length).toBeGreaterThan(30);
    const isPacked = (target: string) =>
      packed.has(target) || [...packed].some((path) => path.startsWith(`${target.replace(/\/$/, "")}/`));
    const onlyInRepository = /^(results\/(baseline|growth)|docs\/decisions)\b/;
    expect(
      [...new Set(targets)].filter((target) => !isPacked(target) && !onlyInRepository.test(target)),
    ).toEqual([]);
  });

  it("has the interpreter that its own generator makes", () => {
    const generated = generateInterpreter(USUAL.stateOffset, USUAL.hotArrivals);
    expect(packed).toContain(READY_MADE);
    expect(readFileSync(join(root, READY_MADE)).equals(generated)).toBe(true);
  });

  it("has the interpreter that a machine's first processor needs", async () => {
    const emulation = new Emulation({ hardware: await loadHardware("embedded"), ramBytes: 2 ** 24 });
    const settings = emulation.hart as unknown as { hotArrivals: number; state: { offset: number } };
    expect({ stateOffset: settings.state.offset, hotArrivals: settings.hotArrivals }).toEqual(USUAL);
    emulation.destroy();
  });

  it.each(["dist/bin/program/machine.cjs", "dist/emulator/cpu/riscv/interpreter/ready-made.js"])(
    "reads that interpreter in %s",
    (path) => {
      const references = referencesIn(readFileSync(join(root, path), "utf8"), path.endsWith(".cjs"));
      expect(references.map((each) => posix.join(posix.dirname(path), each))).toContain(READY_MADE);
    },
  );

  it("is reported where an import cannot work", () => {
    expect(whyBroken(CLI, "./nowhere.js")).toBe("dist/bin/cli.js: ./nowhere.js is not in the package");
    expect(whyBroken(CLI, "#attic")).toBe("dist/bin/cli.js: #attic is not a component of the package");
    expect(whyBroken(CLI, "vitest/config")).toBe("dist/bin/cli.js: vitest/config is no dependency");
    expect(whyBroken(CLI, "@types/node")).toBe("dist/bin/cli.js: @types/node is no dependency");
    expect(whyBroken(CLI, "#workloads")).toBe(null);
    expect(whyBroken(CLI, "fs/promises")).toBe(null);
  });

  it("has the guests that need no other files, and their expected output", () => {
    const guests = workloads().filter((guest) => guest.kind === "bare-metal");
    const needed = guests.flatMap((guest) => [guest.kernel, guest.expectedConsole]);
    expect(needed.length).toBeGreaterThan(10);
    expect(needed.map((file) => relative(root, file)).filter((file) => !packed.has(file))).toEqual([]);
  });

  it("has the declarations of the components that it exports, and of their imports", () => {
    const declarations = [...packed].filter((path) => path.endsWith(".d.ts"));
    for (const { types } of Object.values(manifest.exports))
      if (types !== undefined) expect(packed).toContain(types.slice(2));
    const broken = declarations.flatMap((path) =>
      referencesIn(readFileSync(join(root, path), "utf8"))
        .filter((specifier) => /^[.#]/.test(specifier))
        .map((specifier) =>
          specifier.startsWith("#")
            ? (manifest.imports[specifier]?.default.replace(/^\.\/|\.c?js$/g, "") ?? specifier)
            : posix.join(posix.dirname(path), specifier.replace(/\.ts$/, "")),
        )
        .filter((module) => !packed.has(`${module}.d.ts`))
        .map((module) => `${path}: ${module}`),
    );
    expect(broken).toEqual([]);
  });

  it("has the code sizes that the build measured", () => {
    expect(packed).toContain("dist/bench/code-size.json");
  });

  it("is small and has no files that only the repository needs", () => {
    const needless =
      /(?<!\.d|goldfish-rtc)\.ts$|\.map$|\.test\.|tsbuildinfo|(^|\/)(testing|fixtures)\/|^results\/(?!selftest\.json)/;
    expect([...packed].filter((path) => needless.test(path))).toEqual([]);
    expect(size).toBeLessThan(1e6);
  });
});
