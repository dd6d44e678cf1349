import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Formatters } from "./formatter.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "formatter-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(name: string, content: string | object): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), typeof content === "string" ? content : JSON.stringify(content));
}
const formatting = (name = "src/a.ts") => new Formatters().optionsFor(join(root, name));

const prettier = {
  width: 80,
  indent: "  ",
  tabWidth: 2,
  semicolons: true,
  quote: '"',
  trailingCommas: true,
};

test("without a configuration nothing is known", () => {
  expect(formatting()).toEqual({ options: {}, complete: false });
});

describe("Prettier", () => {
  test.each([
    [".prettierrc", '{ "printWidth": 100, "singleQuote": true } // wide'],
    [".prettierrc", "# wide\nprintWidth: 100\nsingleQuote: true\n"],
    [".prettierrc.json", '{ "printWidth": 100, "singleQuote": true }'],
    [".prettierrc.json5", "{ printWidth: 100, singleQuote: true, }"],
    [".prettierrc.yaml", "printWidth: 100\nsingleQuote: true # as ever\n"],
    [".prettierrc.yml", "printWidth: 100\nsingleQuote: true\n"],
    [".prettierrc.toml", "printWidth = 100\nsingleQuote = true\n"],
    ["package.json", '{ "name": "x", "prettier": { "printWidth": 100, "singleQuote": true } }'],
  ])("is configured in %s", (name, text) => {
    write(name, text);
    expect(formatting()).toEqual({ options: { ...prettier, width: 100, quote: "'" }, complete: true });
  });

  test("has options for semicolons, tabs and commas", () => {
    write(".prettierrc", { semi: false, useTabs: true, tabWidth: 8, trailingComma: "es5" });
    expect(formatting().options).toEqual({
      ...prettier,
      semicolons: false,
      indent: "\t",
      tabWidth: 8,
      trailingCommas: false,
    });
  });

  test("has overrides for some files", () => {
    write(".prettierrc", {
      overrides: [
        { files: "*.ts", options: { printWidth: 120 } },
        { files: ["src/**"], excludeFiles: "src/a.ts", options: { tabWidth: 4 } },
      ],
    });
    expect(formatting("src/a.ts").options).toEqual({ ...prettier, width: 120 });
    expect(formatting("src/b.ts").options).toEqual({ ...prettier, width: 120, tabWidth: 4, indent: "    " });
  });

  test("takes from .editorconfig what it does not say itself", () => {
    write(".editorconfig", "root = true\n[*]\nindent_style = space\nindent_size = 4\nmax_line_length = 90\n");
    write(".prettierrc", { printWidth: 70 });
    expect(formatting().options).toEqual({ ...prettier, width: 70, indent: "    ", tabWidth: 4 });
  });

  test("is not asked where its configuration is a program or a package", () => {
    write("prettier.config.js", "export default { semi: false };");
    write("package.json", { prettier: "@acme/prettier-config" });
    expect(formatting().complete).toBe(false);
  });
});

describe("Biome", () => {
  const biome = { ...prettier, indent: "\t" };

  test("has defaults of its own", () => {
    write("biome.json", {});
    expect(formatting()).toEqual({ options: biome, complete: true });
  });

  test("has general options and those for scripts, which count more", () => {
    write(
      "biome.jsonc",
      '{ // ours\n "formatter": { "indentStyle": "space", "indentWidth": 3, "lineWidth": 110 } }',
    );
    expect(formatting().options).toEqual({ ...biome, indent: "   ", tabWidth: 3, width: 110 });
    write("biome.jsonc", {
      formatter: { lineWidth: 110 },
      javascript: {
        formatter: { lineWidth: 90, semicolons: "asNeeded", quoteStyle: "single", trailingCommas: "none" },
      },
    });
    expect(formatting().options).toEqual({
      ...biome,
      width: 90,
      semicolons: false,
      quote: "'",
      trailingCommas: false,
    });
  });

  test("has overrides, and configurations that it extends", () => {
    write("base.json", { formatter: { lineWidth: 100, indentStyle: "space" } });
    write("biome.json", {
      extends: ["./base.json"],
      formatter: { lineWidth: 120 },
      overrides: [{ includes: ["**", "!**/b.ts"], javascript: { formatter: { semicolons: "asNeeded" } } }],
    });
    const options = { ...biome, width: 120, indent: "  " };
    expect(formatting("src/a.ts").options).toEqual({ ...options, semicolons: false });
    expect(formatting("src/b.ts").options).toEqual(options);
  });

  test("of a folder extends the one above it", () => {
    write("biome.json", { formatter: { lineWidth: 100, indentStyle: "space" } });
    write("src/biome.json", { extends: "//", formatter: { lineWidth: 90 } });
    expect(formatting("src/a.ts").options).toEqual({ ...biome, width: 90, indent: "  " });
  });

  test("does not decide if its formatter is off", () => {
    write("biome.json", { formatter: { enabled: false } });
    write(".prettierrc", { semi: false });
    expect(formatting().options).toEqual({ ...prettier, semicolons: false });
  });
});

test("the configuration nearest to the file counts", () => {
  write(".prettierrc", { printWidth: 100 });
  write("src/biome.json", { formatter: { lineWidth: 120 } });
  expect(formatting("src/a.ts").options.width).toBe(120);
  expect(formatting("lib/a.ts").options.width).toBe(100);
});

describe(".editorconfig alone", () => {
  test("says what it says for the file, and no more", () => {
    write(
      ".editorconfig",
      "[*]\nindent_style = tab\ntab_width = 8\n\n[*.md]\nindent_size = 1\n; note\n[*.{ts,js}]\nmax_line_length=99 # x\n",
    );
    expect(formatting()).toEqual({ options: { indent: "\t", tabWidth: 8, width: 99 }, complete: false });
  });

  test("is inherited from folders above, up to the root", () => {
    write(".editorconfig", "[*]\nindent_size = 4\nmax_line_length = off\n");
    write("src/.editorconfig", "[*.ts]\nmax_line_length = 90\n");
    expect(formatting().options).toEqual({ indent: "    ", tabWidth: 4, width: 90 });
    write("src/.editorconfig", "root = true\n[*.ts]\nmax_line_length = 90\n");
    expect(formatting().options).toEqual({ width: 90 });
  });
});
