import { chmodSync, writeFileSync } from "node:fs";
import { defineConfig, type Plugin, type RolldownOptions } from "rolldown";
import ts from "typescript";

/**
 * Rooms whose commands start other processes, or run for so long that nobody minds when they begin; and the one that all rooms
 * share, as there is one standard output, and one class of errors, for all of them.
 */
const ROOMS_APART = /^#(bench|codemods|host|results|workloads)(\/|$)/;

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

/**
 * Programs as few files, with their own rooms inside and packages outside.
 * @param names of their entries, relative to the root, without endings
 * @param shared folder of what several of them have, and of what they load later
 */
function packed(names: readonly string[], shared: string, isApart: (id: string) => boolean): RolldownOptions {
  return {
    input: Object.fromEntries(names.map((name) => [name, `./${name}.ts`])),
    platform: "node",
    resolve: { conditionNames: ["source", "node", "import", "default"] },
    external: (id) => isApart(id) || /^[a-z@]/.test(id),
    treeshake: { moduleSideEffects: "no-external" },
    plugins: [readyMadeInterpreter],
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

/** Makes the command executable, which npm does only when it installs a package, and gives it the name of a module, too. */
const startable: Plugin = {
  name: "startable",
  writeBundle() {
    writeFileSync("dist/bin/cli.js", '#!/usr/bin/env node\nimport "./cli.cjs";\n');
    for (const name of ["cli.cjs", "cli.js"]) chmodSync(`dist/bin/${name}`, 0o755);
  },
};

/** As CommonJS, which Node loads in less time: it links nothing, and copies no exports of its own modules. */
function commonJs(
  names: readonly string[],
  shared: string,
  isApart: (id: string) => boolean,
): RolldownOptions {
  const { output, ...options } = packed(names, shared, isApart);
  const files = { entryFileNames: "[name].cjs", chunkFileNames: `${shared}/[name].cjs` };
  return { ...options, output: { ...output, ...files, format: "cjs" } };
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
const isSteppedThrough = (name: string) => /^emulator\/(hw|memory|qdev|qom)\//.test(name);

/**
 * What is started often, or by somebody who waits: `regionlab run` needs some two hundred modules, and Node spends more time on
 * finding and opening them one by one than on all else until the guest's first line. The same for a process that measures.
 */
export default defineConfig([
  { ...commonJs(COMMAND, "bin/cli", () => false), plugins: [startable] },
  dense(commonJs(PROGRAM, "bin/program", (id) => ROOMS_APART.test(id))),
  dense(withoutComments(apart.filter((name) => !isSteppedThrough(name)))),
  withoutComments(apart.filter(isSteppedThrough)),
  dense(commonJs(HOST, "emulator/host/index", () => false)),
  dense(packed(MEASURED, "bench/measured", () => false)),
]);
