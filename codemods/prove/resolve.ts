/** Which file an import means at run time: as Node resolves it, but to sources where a project has them. */
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, extname, join, resolve } from "node:path";
import { tableOf } from "#host";

/** Conditions of package entries, in order of preference: sources before what is built from them. */
const CONDITIONS: ReadonlySet<string> = new Set(["source", "node", "import", "module", "require", "default"]);

/** Sources that a specifier written for the built file means. */
const SOURCES_OF = tableOf<readonly string[]>({
  ".js": [".ts", ".tsx"],
  ".mjs": [".mts"],
  ".cjs": [".cts"],
  ".jsx": [".tsx"],
});
const ENDINGS = [".ts", ".tsx", ".mts", ".cts", ".js", ".mjs", ".cjs", ".json"];

/** The parts of a package.json that matter. */
interface Manifest {
  readonly name?: string;
  readonly type?: string;
  readonly main?: string;
  readonly imports?: Readonly<Record<string, unknown>>;
  readonly exports?: unknown;
}

interface Package {
  readonly folder: string;
  readonly manifest: Manifest;
}

export class Resolver {
  private readonly packages = new Map<string, Package | undefined>();
  private readonly isGiven: (path: string) => boolean;

  /** @param isGiven whether the text of a path is given, whatever is on disk. */
  constructor(isGiven: (path: string) => boolean) {
    this.isGiven = isGiven;
  }

  /** Absolute path, or `node:…`; undefined if there is no such file. */
  resolve(specifier: string, from: string): string | undefined {
    if (specifier.startsWith("node:") || builtinModules.includes(specifier))
      return specifier.startsWith("node:") ? specifier : `node:${specifier}`;
    if (/^\.{0,2}\//.test(specifier)) return this.file(resolve(dirname(from), specifier));
    if (specifier.startsWith("#")) return this.ownImport(specifier, from);
    return this.installed(specifier, from);
  }

  /** Whether Node's `require` must load a file: a package's CommonJS, JSON, or machine code. */
  isForNode(path: string): boolean {
    const ending = extname(path);
    if (ending === ".json" || ending === ".node") return true;
    if (this.isGiven(path) || !path.includes("/node_modules/")) return false;
    return ending === ".cjs" || (ending === ".js" && this.packageOf(path)?.manifest.type !== "module");
  }

  private ownImport(specifier: string, from: string): string | undefined {
    const own = this.packageOf(from);
    return own === undefined ? undefined : this.entry(own.manifest.imports ?? {}, specifier, own.folder);
  }

  private installed(specifier: string, from: string): string | undefined {
    const name = specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/");
    const subpath = `.${specifier.slice(name.length)}`;
    const own = this.packageOf(from);
    const found = own?.manifest.name === name ? own : this.installedPackage(name, dirname(from));
    if (found === undefined) return undefined;
    const { exports, main } = found.manifest;
    if (exports === undefined)
      return this.file(join(found.folder, subpath === "." ? (main ?? ".") : subpath));
    const isTable = typeof exports === "object" && exports !== null && "." in exports;
    const table = isTable || hasSubpaths(exports) ? (exports as Record<string, unknown>) : { ".": exports };
    return this.entry(table, subpath, found.folder);
  }

  private installedPackage(name: string, start: string): Package | undefined {
    for (let folder = start; ; folder = dirname(folder)) {
      const place = join(folder, "node_modules", name);
      // A package that is linked has one path, as in Node; with two, its classes would be there twice.
      const candidate = this.packageIn(existsSync(place) ? realpathSync(place) : place);
      if (candidate !== undefined) return candidate;
      if (folder === dirname(folder)) return undefined;
    }
  }

  /** Looks a name up in a table of imports or exports, which may have patterns with one `*`. */
  private entry(table: Readonly<Record<string, unknown>>, name: string, folder: string): string | undefined {
    if (Object.hasOwn(table, name)) return this.target(table[name], folder, "");
    for (const [pattern, target] of Object.entries(table)) {
      const [start = "", end] = pattern.split("*");
      if (end === undefined || !name.startsWith(start) || !name.endsWith(end)) continue;
      const found = this.target(target, folder, name.slice(start.length, name.length - end.length));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private target(target: unknown, folder: string, star: string): string | undefined {
    if (typeof target === "string") {
      const named = target.replaceAll("*", star);
      return named.startsWith(".") ? this.file(join(folder, named)) : this.resolve(named, join(folder, "-"));
    }
    if (Array.isArray(target)) return firstOf(target, (each) => this.target(each, folder, star));
    if (typeof target !== "object" || target === null) return undefined;
    return firstOf(Object.entries(target), ([condition, each]) =>
      CONDITIONS.has(condition) ? this.target(each, folder, star) : undefined,
    );
  }

  private file(path: string): string | undefined {
    const ending = extname(path);
    const sources = (SOURCES_OF.get(ending) ?? []).map((each) => path.slice(0, -ending.length) + each);
    const candidates = [
      path,
      ...sources,
      ...ENDINGS.map((each) => path + each),
      ...ENDINGS.map((each) => join(path, `index${each}`)),
    ];
    return candidates.find((each) => this.isFile(each));
  }

  private isFile(path: string): boolean {
    return this.isGiven(path) || statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  }

  private packageOf(path: string): Package | undefined {
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      const found = this.packageIn(folder);
      if (found !== undefined) return found;
      if (folder === dirname(folder)) return undefined;
    }
  }

  private packageIn(folder: string): Package | undefined {
    if (!this.packages.has(folder)) this.packages.set(folder, readPackage(folder));
    return this.packages.get(folder);
  }
}

function hasSubpaths(exports: unknown): boolean {
  return (
    typeof exports === "object" && exports !== null && Object.keys(exports).some((key) => key.startsWith("."))
  );
}

function firstOf<T>(from: readonly T[], look: (each: T) => string | undefined): string | undefined {
  for (const each of from) {
    const found = look(each);
    if (found !== undefined) return found;
  }
  return undefined;
}

function readPackage(folder: string): Package | undefined {
  try {
    return { folder, manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest };
  } catch {
    return undefined; // none here, or one that Node could not read either
  }
}
