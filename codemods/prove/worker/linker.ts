/**
 * Links CommonJS texts, inside the worker. The worker's first code, so it imports nothing at run time.
 *
 * Devices are not loaded by Node's own loader: it could not take texts that are on no disk, and would keep every module
 * for the life of the process.
 */
import type { ModuleText } from "./trace.ts";

/** What the worker takes from Node. */
export interface HostModules {
  /** Node's `require`. */
  require(name: string): unknown;
  /** Compiles a function expression. */
  compile(text: string, name: string): ModuleFunction;
}

export type ModuleFunction = (
  exports: Exports,
  require: (specifier: string) => unknown,
  module: { exports: Exports },
  filename: string,
  meta: { readonly url: string; readonly filename: string },
) => void;

export type Exports = Record<string, unknown>;

export class Linker {
  private readonly texts = new Map<string, ModuleText>();
  private readonly loaded = new Map<string, { exports: Exports }>();
  private readonly host: HostModules;
  private readonly base: Linker | null;

  /** @param base linker whose modules are shared; it is asked first. */
  constructor(host: HostModules, modules: readonly ModuleText[], base: Linker | null = null) {
    this.host = host;
    this.base = base;
    for (const module of modules) this.texts.set(module.id, module);
  }

  /** The exports of a module, which runs if it has not run before. @throws what the module throws. */
  load(id: string): Exports {
    if (this.base?.texts.has(id)) return this.base.load(id);
    const present = this.loaded.get(id);
    if (present !== undefined) return present.exports;
    const text = this.texts.get(id);
    if (text === undefined) return this.host.require(id) as Exports; // a module of Node, or a package for its loader
    const module: { exports: Exports } = { exports: {} };
    this.loaded.set(id, module); // before it runs: imports may be circular
    const run = this.host.compile(
      `(function (exports, require, module, __filename, __importMeta) {${text.code}\n})`,
      id,
    );
    const require = (specifier: string): unknown => {
      const target = text.imports[specifier];
      if (target === undefined) throw new Error(`${id} imports ${specifier}, which cannot be resolved`);
      return this.load(target);
    };
    run(module.exports, require, module, id, { url: `file://${id}`, filename: id });
    return module.exports;
  }
}
