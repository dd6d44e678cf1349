import { chmodSync } from "node:fs";
import { defineConfig, type RolldownOptions } from "rolldown";
import ts from "typescript";

/**
 * Rooms whose commands start other processes, or run for so long that nobody minds when they begin; and the one that all rooms
 * share, as there is one standard output, and one class of errors, for all of them.
 */
const ROOMS_APART = /^#(bench|codemods|host|results|workloads)(\/|$)/;

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
 * For code in which nobody sets a breakpoint: white space and the names of local variables are a sixth of a package. Names of
 * functions, classes and members stay, for stacks and heaps.
 */
const DENSE = {
  compress: false,
  mangle: { toplevel: false, keepNames: true },
  codegen: { removeWhitespace: true },
} as const;

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
const HOST = ["emulator/host/index"];
const MEASURED = ["bench/child", "bench/arm", "bench/counts/child"];
const apart = modulesApart([...COMMAND, ...HOST, ...MEASURED]);
/** Rooms that those who write a device step through. */
const isSteppedThrough = (name: string) => /^emulator\/(hw|memory|qdev|qom)\//.test(name);

/**
 * What is started often, or by somebody who waits: `regionlab run` needs some two hundred modules, and Node spends more time on
 * finding and opening them one by one than on all else until the guest's first line. The same for a process that measures.
 */
export default defineConfig([
  {
    ...dense(packed(COMMAND, "bin/cli", (id) => ROOMS_APART.test(id))),
    // npm sees to that when it installs a package, not when its own is built anew.
    plugins: [{ name: "executable", writeBundle: () => chmodSync("dist/bin/cli.js", 0o755) }],
  },
  dense(withoutComments(apart.filter((name) => !isSteppedThrough(name)))),
  withoutComments(apart.filter(isSteppedThrough)),
  packed(HOST, "emulator/host/index", () => false),
  dense(packed(MEASURED, "bench/measured", () => false)),
]);
