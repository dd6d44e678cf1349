import { chmodSync, writeFileSync } from "node:fs";
import { basename, dirname, relative } from "node:path";
import { defineConfig, type Plugin, type RolldownOptions } from "rolldown";
import ts from "typescript";

/** Rooms whose commands start other processes, or run for so long that nobody minds when they begin. */
const ROOMS_APART = /^#(bench|codemods|results|workloads)(\/|$)/;

type IsApart = (id: string, importer?: string) => boolean;

/** The program loads those rooms when they are asked for. All share one host: one standard output, one class of errors. */
const isApart: IsApart = (id, importer = "") =>
  /^#host$/.test(id) || (ROOMS_APART.test(id) && importer.endsWith("bin/program.ts"));

/** Has the interpreter of the usual machine generated once, here, instead of at the start of every run. */
const readyMadeInterpreter: Plugin = {
  name: "ready-made interpreter",
  load: {
    filter: { id: /emulator\/cpu\/riscv\/interpreter\/ready-made\.ts$/ },
    async handler() {
      const compiled = new URL("dist/emulator/cpu/riscv/interpreter/generate.js", import.meta.url).href;
      const { generateInterpreter, USUAL } = await import(compiled);
      const file = this.emitFile({
        type: "asset",
        fileName: "emulator/cpu/riscv/interpreter/usual.wasm",
        source: generateInterpreter(USUAL.stateOffset, USUAL.hotArrivals),
      });
      return `import { readFileSync } from "node:fs";
        export const readReadyMade = () => readFileSync(new URL(import.meta.ROLLUP_FILE_URL_${file}));`;
    },
  },
};

/** Where the translator's thread is, seen from whichever file asks for it. */
const THREAD = "emulator/cpu/riscv/translator/thread";
const ownThread: Plugin = {
  name: "own thread",
  load: {
    filter: { id: /emulator\/cpu\/riscv\/translator\/thread-entry\.ts$/ },
    handler: () => `export const threadEntry = () => new URL("own-thread:", import.meta.url);`,
  },
  renderChunk(code, { fileName }) {
    const path = relative(dirname(fileName), `${THREAD}.js`);
    return { code: code.replace("own-thread:", path), map: null }; // in a line of which nothing else is mapped
  },
};

/**
 * Programs as few files, with their own rooms inside and packages outside.
 * @param names of their entries, relative to the root, without endings
 * @param shared folder of what several of them have, and of what they load later
 */
function packed(names: readonly string[], shared: string, isApart: IsApart): RolldownOptions {
  return {
    input: Object.fromEntries(names.map((name) => [name, `./${name}.ts`])),
    platform: "node",
    resolve: { conditionNames: ["source", "node", "import", "default"] },
    external: (id, importer) => isApart(id, importer) || /^[a-z@]/.test(id),
    treeshake: { moduleSideEffects: "no-external" },
    plugins: [readyMadeInterpreter, ownThread],
    // What only converted devices need as a whole (emulator/machine/hardware.ts) may well be loaded already, and how
    // long a plugin takes depends on the machine.
    checks: { ineffectiveDynamicImport: false, pluginTimings: false, bundlerTimings: false },
    output: {
      dir: "dist",
      entryFileNames: "[name].js",
      chunkFileNames: `${shared}/[name].js`,
      sourcemap: true,
      comments: false,
    },
  };
}

/**
 * For code in which nobody sets a breakpoint: white space, the names of local variables and long-winded statements are a fifth of
 * a package. Names of functions, classes and members stay, for stacks and heaps.
 */
const DENSE = {
  compress: true,
  mangle: { toplevel: false, keepNames: true },
  codegen: { removeWhitespace: true },
} as const;

/** Gives programs in CommonJS the names of modules, too. Commands become executable, which npm does only on installing. */
const startable = (names: readonly string[]): Plugin => ({
  name: "startable",
  writeBundle() {
    for (const name of names) {
      writeFileSync(`dist/${name}.js`, `#!/usr/bin/env node\nimport "./${basename(name)}.cjs";\n`);
      if (COMMAND.includes(name)) for (const end of ["cjs", "js"]) chmodSync(`dist/${name}.${end}`, 0o755);
    }
  },
});

/** As CommonJS, which Node loads in less time: it links nothing, and copies no exports of its own modules. */
function commonJs(names: readonly string[], shared: string, isApart: IsApart): RolldownOptions {
  const { output, ...options } = packed(names, shared, isApart);
  const files = { entryFileNames: "[name].cjs", chunkFileNames: `${shared}/[name].cjs` };
  return { ...options, output: { ...output, ...files, format: "cjs" } };
}

function withPlugin({ plugins, ...options }: RolldownOptions, plugin: Plugin): RolldownOptions {
  return { ...options, plugins: [plugins, plugin] };
}

function dense({ output, ...options }: RolldownOptions): RolldownOptions {
  return { ...options, output: { ...output, minify: DENSE } };
}

/**
 * Modules as they are but without comments, which take a quarter of a package; declarations keep theirs. Each is an entry, so
 * that none loses an export which only a module outside the list imports.
 */
function withoutComments(names: readonly string[]): RolldownOptions {
  const { output, ...options } = packed(names, "parts", (id) => id.startsWith("#"));
  return { ...options, output: { ...output, preserveModules: true, preserveModulesRoot: "." } };
}

/** Every module that the compiler emits, but for those that become one file with all that they need. */
function modulesApart(programs: readonly string[]): string[] {
  const config = ts.readConfigFile("tsconfig.build.json", ts.sys.readFile).config;
  return ts
    .parseJsonConfigFileContent(config, ts.sys, ".")
    .fileNames.map((file) => file.replace(/^\.\//, "").replace(/\.ts$/, ""))
    .filter((name) => !programs.includes(name));
}

const COMMAND = ["bin/cli"];
const PROGRAM = ["bin/program"];
const HOST = ["emulator/host/index"];
const MEASURED = ["bench/child", "bench/arm", "bench/counts/child"];
const apart = modulesApart([...HOST, ...MEASURED]);
/** Rooms that those who write a device step through. */
const isSteppedThrough = (name: string) => /^emulator\/(memory|qdev|qom)\//.test(name);

/**
 * What is started often, or by somebody who waits: `regionlab run` needs some two hundred modules, and Node spends more time on
 * finding and opening them one by one than on all else until the guest's first line. The same for a process that measures.
 */
export default defineConfig([
  { ...commonJs(COMMAND, "bin/cli", () => false), plugins: [startable(COMMAND)] },
  // One build: what is measured is the program's own code.
  withPlugin(dense(commonJs([...PROGRAM, ...MEASURED], "bin/program", isApart)), startable(MEASURED)),
  dense(withoutComments(apart.filter((name) => !isSteppedThrough(name)))),
  withoutComments(apart.filter(isSteppedThrough)),
  dense(commonJs(HOST, "emulator/host/index", () => false)),
]);
