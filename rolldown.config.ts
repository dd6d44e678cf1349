import { chmodSync } from "node:fs";
import { defineConfig, type RolldownOptions } from "rolldown";

/**
 * Rooms whose commands start other processes, or run for so long that nobody minds when they begin; and the one that all rooms
 * share, as there is one standard output, and one class of errors, for all of them.
 */
const ROOMS_APART = /^#(bench|codemods|host|results|workloads)(\/|$)/;

/** A program as few files, with its own rooms inside and packages outside. */
function packed(dir: string, name: string, apart: (id: string) => boolean): RolldownOptions {
  return {
    input: { [name]: `./${dir}/${name}.ts` },
    platform: "node",
    resolve: { conditionNames: ["source", "node", "import", "default"] },
    external: (id) => apart(id) || /^[a-z@]/.test(id),
    treeshake: { moduleSideEffects: "no-external" },
    output: { dir: `dist/${dir}`, chunkFileNames: `${name}/[name].js`, sourcemap: true },
  };
}

/**
 * What is started often, or by somebody who waits: `regionlab run` needs some two hundred modules, and Node spends more time on
 * finding and opening them one by one than on all else until the guest's first line. The same for a process that measures.
 */
export default defineConfig([
  {
    ...packed("bin", "cli", (id) => ROOMS_APART.test(id)),
    // npm sees to that when it installs a package, not when its own is built anew.
    plugins: [{ name: "executable", writeBundle: () => chmodSync("dist/bin/cli.js", 0o755) }],
  },
  packed("emulator/host", "index", () => false),
  packed("bench", "child", () => false),
  packed("bench", "arm", () => false),
  packed("bench/counts", "child", () => false),
]);
