import { defineConfig } from "vitest/config";

const sourceConditions = ["source", "node", "import", "module", "default"];

export default defineConfig({
  resolve: { conditions: sourceConditions },
  ssr: { resolve: { conditions: sourceConditions } },
  test: {
    include: ["{bin,emulator,codemods,bench,workloads,results}/**/*.test.ts"],
    testTimeout: 60_000,
    coverage: {
      provider: "v8",
      include: ["{bin,emulator,codemods,bench,workloads,results}/**/*.ts"],
      exclude: ["**/*.test.ts", "**/fixtures/**"],
      reporter: ["text-summary", "html"],
    },
  },
});
