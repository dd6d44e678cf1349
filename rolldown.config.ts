import { defineConfig } from "rolldown";
export default defineConfig({
  input: { "bin/cli": "bin/cli.ts", "bench/child": "bench/child.ts" },
  platform: "node",
  resolve: { conditionNames: ["source", "node", "import", "default"] },
  external: (id) => !(id.startsWith(".") || id.startsWith("#") || id.startsWith("/") || /^(bin|bench)\//.test(id)),
  treeshake: { moduleSideEffects: "no-external" },
  output: { dir: "/tmp/bundle/dist", chunkFileNames: "chunks/[name].js", sourcemap: false },
});
