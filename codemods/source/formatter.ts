/**
 * Reads how a project's formatter lays out its sources: from Biome's or Prettier's configuration, and .editorconfig.
 *
 * The configuration nearest to the file counts. Configurations that are programs (`prettier.config.js` and the like) or live in another
 * package are not read: the layout is then measured from the file, as without a configuration.
 */
import { basename, dirname, join, relative, resolve } from "node:path";
import { ts } from "ts-morph";
import { matchesGlob } from "./glob.ts";

/** What a configuration says; the rest is up to the formatter's defaults or to the file. */
export interface FormatterOptions {
  readonly width?: number;
  readonly indent?: string;
  readonly tabWidth?: number;
  readonly semicolons?: boolean;
  readonly quote?: '"' | "'";
  readonly trailingCommas?: boolean;
}

const prettierDefaults: FormatterOptions = {
  width: 80,
  indent: "  ",
  tabWidth: 2,
  semicolons: true,
  quote: '"',
  trailingCommas: true,
};
const biomeDefaults: FormatterOptions = { ...prettierDefaults, indent: "\t" };

/** Options for one file, and whether they come from a formatter, which then decides everything. */
export interface Formatting {
  readonly options: FormatterOptions;
  readonly complete: boolean;
}

type Settings = Readonly<Record<string, unknown>>;

/** Reads configurations, each once. */
export class Formatters {
  private readonly settings = new Map<string, Settings | undefined>();
  private readonly editorConfigs = new Map<string, string | undefined>();

  /** What the configurations above a file say about it. */
  optionsFor(path: string): Formatting {
    const editor = this.editorConfig(path);
    for (let directory = dirname(path); ; directory = dirname(directory)) {
      const options = this.biome(directory, path, editor) ?? this.prettier(directory, path, editor);
      if (options !== undefined) return { options, complete: true };
      if (directory === dirname(directory)) return { options: editor, complete: false };
    }
  }

  private biome(directory: string, path: string, editor: FormatterOptions): FormatterOptions | undefined {
    const file = this.biomeIn(directory);
    if (file === undefined) return undefined;
    const settings = this.withExtended(file, new Set());
    if (section(settings, "formatter").enabled === false) return undefined;
    const byEditor = section(settings, "formatter").useEditorconfig === true ? editor : {};
    let options: FormatterOptions = { ...biomeDefaults, ...byEditor, ...biomeOptions(settings) };
    for (const override of listOf(settings.overrides)) {
      if (included(stringsOf(override.includes ?? override.include), relative(directory, path))) {
        options = { ...options, ...biomeOptions(override) };
      }
    }
    return options;
  }

  private biomeIn(directory: string): string | undefined {
    const names = ["biome.json", "biome.jsonc", ".biome.json", ".biome.jsonc"];
    return names.map((name) => join(directory, name)).find((each) => this.read(each) !== undefined);
  }

  private biomeAbove(directory: string): string | undefined {
    const parent = dirname(directory);
    return parent === directory ? undefined : (this.biomeIn(parent) ?? this.biomeAbove(parent));
  }

  /** A Biome configuration with those that it extends, by relative path or as the one above; its own count most. */
  private withExtended(file: string, visited: Set<string>): Settings {
    const own = this.read(file) ?? {};
    if (visited.has(file)) return own;
    visited.add(file);
    const directory = dirname(file);
    const bases = stringsOf(own.extends).flatMap((each) => {
      if (each === "//") return this.biomeAbove(directory) ?? [];
      return /^\.{1,2}\//.test(each) ? resolve(directory, each) : [];
    });
    return bases.map((base) => this.withExtended(base, visited)).reduceRight(merge, own);
  }

  private prettier(directory: string, path: string, editor: FormatterOptions): FormatterOptions | undefined {
    const settings = this.prettierSettings(directory);
    if (settings === undefined) return undefined;
    let options: FormatterOptions = { ...prettierDefaults, ...editor, ...prettierOptions(settings) };
    for (const override of listOf(settings.overrides)) {
      const local = relative(directory, path);
      const excluded = stringsOf(override.excludeFiles).some((glob) => matchesGlob(glob, local));
      if (excluded || !stringsOf(override.files).some((glob) => matchesGlob(glob, local))) continue;
      options = { ...options, ...prettierOptions(section(override, "options")) };
    }
    return options;
  }

  private prettierSettings(directory: string): Settings | undefined {
    const own = this.read(join(directory, "package.json"))?.prettier;
    if (isSettings(own)) return own;
    const names = ["", ".json", ".json5", ".yaml", ".yml", ".toml"].map((suffix) => `.prettierrc${suffix}`);
    return names.map((name) => this.read(join(directory, name))).find((found) => found !== undefined);
  }

  private editorConfig(path: string): FormatterOptions {
    const found: FormatterOptions[] = [];
    for (let directory = dirname(path); ; directory = dirname(directory)) {
      const text = this.editorConfigIn(directory);
      if (text !== undefined) {
        const { root, options } = parseEditorConfig(text, relative(directory, path));
        found.unshift(options);
        if (root) break;
      }
      if (directory === dirname(directory)) break;
    }
    return Object.assign({}, ...found);
  }

  private editorConfigIn(directory: string): string | undefined {
    if (!this.editorConfigs.has(directory))
      this.editorConfigs.set(directory, ts.sys.readFile(join(directory, ".editorconfig")));
    return this.editorConfigs.get(directory);
  }

  private read(path: string): Settings | undefined {
    if (!this.settings.has(path)) {
      const text = ts.sys.readFile(path);
      this.settings.set(path, text === undefined ? undefined : parse(path, text));
    }
    return this.settings.get(path);
  }
}

function isSettings(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function section(settings: Settings, name: string): Settings {
  const value = settings[name];
  return isSettings(value) ? value : {};
}

function listOf(value: unknown): Settings[] {
  return Array.isArray(value) ? value.filter(isSettings) : [];
}

function stringsOf(value: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((each) => typeof each === "string");
}

function merge(over: Settings, base: Settings): Settings {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const inherited = base[key];
    merged[key] = isSettings(value) && isSettings(inherited) ? merge(value, inherited) : value;
  }
  return merged;
}

/** True if the last of the patterns that match a path is not an exclusion (`!pattern`). */
function included(patterns: readonly string[], path: string): boolean {
  const last = patterns.findLast((pattern) => matchesGlob(pattern.replace(/^!+/, ""), path));
  return last !== undefined && !last.startsWith("!");
}

function biomeOptions(settings: Settings): FormatterOptions {
  const general = section(settings, "formatter");
  const script = section(section(settings, "javascript"), "formatter");
  const { lineWidth, indentStyle, indentWidth, semicolons, quoteStyle, trailingCommas } = {
    ...general,
    ...script,
  };
  return {
    ...widthOf(lineWidth),
    ...indentation(indentStyle === undefined ? undefined : indentStyle === "tab", indentWidth),
    ...(semicolons === undefined ? {} : { semicolons: semicolons === "always" }),
    ...(quoteStyle === undefined ? {} : { quote: quoteStyle === "single" ? "'" : '"' }),
    ...(trailingCommas === undefined ? {} : { trailingCommas: trailingCommas === "all" }),
  };
}

function prettierOptions(settings: Settings): FormatterOptions {
  const { printWidth, useTabs, tabWidth, semi, singleQuote, trailingComma } = settings;
  return {
    ...widthOf(printWidth),
    ...indentation(typeof useTabs === "boolean" ? useTabs : undefined, tabWidth),
    ...(typeof semi === "boolean" ? { semicolons: semi } : {}),
    ...(typeof singleQuote === "boolean" ? { quote: singleQuote ? "'" : '"' } : {}),
    ...(trailingComma === undefined ? {} : { trailingCommas: trailingComma === "all" }),
  };
}

function widthOf(width: unknown): FormatterOptions {
  return typeof width === "number" && width > 0 ? { width } : {};
}

function indentation(tabs: boolean | undefined, size: unknown): FormatterOptions {
  const columns = typeof size === "number" && size > 0 ? size : undefined;
  const tabWidth = columns === undefined ? {} : { tabWidth: columns };
  if (tabs === true) return { ...tabWidth, indent: "\t" };
  if (tabs === undefined && columns === undefined) return {};
  return { ...tabWidth, indent: " ".repeat(columns ?? 2) };
}

/** `.editorconfig`: sections of `key = value`; those whose pattern matches the path count, later ones most. */
function parseEditorConfig(text: string, path: string): { root: boolean; options: FormatterOptions } {
  const values = new Map<string, string>();
  let applies: boolean | undefined;
  let root = false;
  for (const line of text.split(/\r?\n/)) {
    const head = /^\s*\[(.+)\]\s*$/.exec(line)?.[1];
    if (head !== undefined) applies = matchesGlob(head, path);
    const [, key = "", value = ""] = /^\s*([\w-]+)\s*=\s*([^#;]*?)\s*(?:[#;].*)?$/.exec(line) ?? [];
    if (key === "") continue;
    if (applies === undefined) root ||= key.toLowerCase() === "root" && value.toLowerCase() === "true";
    else if (applies) values.set(key.toLowerCase(), value.toLowerCase());
  }
  const style = values.get("indent_style");
  const size = Number(values.get("indent_size") === "tab" ? undefined : values.get("indent_size"));
  const tab = Number(values.get("tab_width"));
  return {
    root,
    options: {
      ...widthOf(Number(values.get("max_line_length"))),
      ...indentation(style === undefined ? undefined : style === "tab", size || tab || undefined),
    },
  };
}

/** The settings in a file of any of the formats; undefined if it is none. */
function parse(path: string, text: string): Settings | undefined {
  const name = basename(path);
  if (/\.ya?ml$|\.toml$/.test(name) || (name === ".prettierrc" && !/^\s*(?:\{|\/[/*])/.test(text))) {
    return parseLines(text);
  }
  const { config } = ts.parseConfigFileTextToJson(path, text);
  return isSettings(config) ? config : undefined;
}

/** The settings at the top of a YAML or TOML file that are `key: value` or `key = value` on one line. */
function parseLines(text: string): Settings {
  const settings: Record<string, unknown> = {};
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("[")) break;
    const [, key = "", value = ""] = /^["']?(\w+)["']?\s*[:=]\s*(.*?)\s*(?:\s#.*)?$/.exec(line) ?? [];
    if (key !== "" && value !== "") settings[key] = scalar(value);
  }
  return settings;
}

function scalar(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  if (/^\d+$/.test(text)) return Number(text);
  return text.replace(/^(["'])(.*)\1$/, "$2");
}
