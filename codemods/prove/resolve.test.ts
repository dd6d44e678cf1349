import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Resolver } from "./resolve.ts";

let root: string;
const at = (name: string) => join(root, name);

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "resolve-"));
  const files: Readonly<Record<string, unknown>> = {
    "package.json": {
      name: "own",
      exports: { ".": "./main.ts", "./parts/*": "./parts/*.ts" },
      imports: {
        "#built": { source: "./built.ts", default: "./dist/built.js" },
        "#sources/*": ["./missing/*.ts", "./parts/*.ts"],
        "#outside": "modern",
        "#types-only": { types: "./main.ts" },
      },
    },
    "main.ts": "",
    "built.ts": "",
    "dist/built.js": "",
    "parts/one.ts": "",
    "parts/two/index.ts": "",
    "node_modules/modern/package.json": {
      type: "module",
      exports: { types: "./index.d.ts", default: "./index.js" },
    },
    "node_modules/modern/index.js": "",
    "node_modules/@scope/common/package.json": { main: "lib/common.js" },
    "node_modules/@scope/common/lib/common.js": "",
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), content === "" ? "" : JSON.stringify(content));
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const resolver = new Resolver((path) => path === at("given.ts"));

describe("resolution", () => {
  test.each([
    ["./parts/one.ts", "parts/one.ts"],
    ["./parts/one.js", "parts/one.ts"],
    ["./parts/one", "parts/one.ts"],
    ["./parts/two", "parts/two/index.ts"],
    ["./given.ts", "given.ts"],
    ["#built", "built.ts"],
    ["#sources/one", "parts/one.ts"],
    ["#outside", "node_modules/modern/index.js"],
    ["modern", "node_modules/modern/index.js"],
    ["@scope/common", "node_modules/@scope/common/lib/common.js"],
    ["own", "main.ts"],
    ["own/parts/one", "parts/one.ts"],
  ])("%s", (specifier, expected) => {
    expect(resolver.resolve(specifier, at("device.ts"))).toBe(at(expected));
  });

  test.each(["./missing.ts", "#missing", "#types-only", "missing", "modern/inner", "own/main.ts"])(
    "%s is not found",
    (specifier) => {
      expect(resolver.resolve(specifier, at("device.ts"))).toBeUndefined();
    },
  );

  test("a linked package has one path, that of its files", () => {
    mkdirSync(at("elsewhere"));
    writeFileSync(at("elsewhere/package.json"), JSON.stringify({ exports: "./index.ts" }));
    writeFileSync(at("elsewhere/index.ts"), "");
    symlinkSync(at("elsewhere"), at("node_modules/linked"));
    expect(resolver.resolve("linked", at("device.ts"))).toBe(at("elsewhere/index.ts"));
  });

  test("modules of Node have one name", () => {
    expect(resolver.resolve("fs", at("device.ts"))).toBe("node:fs");
    expect(resolver.resolve("node:fs", at("device.ts"))).toBe("node:fs");
  });

  test("only a package's CommonJS is left to Node", () => {
    expect(resolver.isForNode(at("node_modules/@scope/common/lib/common.js"))).toBe(true);
    expect(resolver.isForNode(at("node_modules/modern/index.js"))).toBe(false);
    expect(resolver.isForNode(at("dist/built.js"))).toBe(false);
    expect(resolver.isForNode(at("given.ts"))).toBe(false);
    expect(resolver.isForNode(at("data.json"))).toBe(true);
  });
});
