import { chmodSync } from "node:fs";
import { defineConfig, type RolldownOptions } from "rolldown";

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
function packed(names: readonly string[], shared: string, apart: (id: string) => boolean): RolldownOptions {
  return {
    input: Object.fromEntries(names.map((name) => [name, `./${name}.ts`])),
    platform: "node",
    resolve: { conditionNames: ["source", "node", "import", "default"] },
    external: (id) => apart(id) || /^[a-z@]/.test(id),
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

/** Modules as they are but without comments, which take a quarter of a package; declarations keep theirs. */
function withoutComments(names: readonly string[]): RolldownOptions {
  const { output, ...options } = packed(names, "parts", (id) => id.startsWith("#"));
  return { ...options, output: { ...output, preserveModules: true, preserveModulesRoot: "." } };
}

/** Rooms of the library, and of commands that are loaded as modules. */
const LIBRARY: readonly string[] = [
  ...["qom/index", "memory/index", "memory/bus", "qdev/index", "hw/embedded/index", "hw/owned/index"].map(
    (name) => `emulator/${name}`,
  ),
  ...["cpu/riscv/index", "backends/index", "machine/index"].map((name) => `emulator/${name}`),
  ...["codemods/index", "codemods/run", "codemods/eslint/index", "codemods/prove/worker/main"],
  ...[
    "bench/index",
    "results/index",
    "results/statistics/index",
    "workloads/index",
    "workloads/lifecycle/index",
  ],
];

/**
 * What is started often, or by somebody who waits: `regionlab run` needs some two hundred modules, and Node spends more time on
 * finding and opening them one by one than on all else until the guest's first line. The same for a process that measures.
 */
export default defineConfig([
  {
    ...packed(["bin/cli"], "bin/cli", (id) => ROOMS_APART.test(id)),
    // npm sees to that when it installs a package, not when its own is built anew.
    plugins: [{ name: "executable", writeBundle: () => chmodSync("dist/bin/cli.js", 0o755) }],
  },
  withoutComments(LIBRARY),
  packed(["emulator/host/index"], "emulator/host/index", () => false),
  packed(["bench/child", "bench/arm", "bench/counts/child"], "bench/measured", () => false),
]);
