import { configDefaults, defineConfig } from "vitest/config";
import type { TestCase } from "vitest/node";

const sourceConditions = ["source", "node", "import", "module", "default"];

/** Says of each skipped test what was missing: a comparison that did not happen must not go unnoticed. */
const skipNotes = {
  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === "skipped" && result.note) console.log(`skipped: ${test.fullName}: ${result.note}`);
  },
};

const everyTest = "{bin,emulator,codemods,bench,workloads,results,deploy}/**/*.test.ts";
/** Tests that take minutes have a configuration of their own, `vitest.long.config.ts`. */
export const LONG_TESTS = "{codemods,emulator,workloads,deploy}/**/*.long.test.ts";

/** The processor's tests once more, with all code translated before it runs. */
export const TRANSLATED = { name: "translated", env: { REGIONLAB_TRANSLATE: "all" } };
/** Those that take minutes then. */
export const LONG_TRANSLATED = [
  "emulator/cpu/riscv/interpreter/*.test.ts",
  "emulator/cpu/riscv/hart/{pmp,traps}.test.ts",
];

const report = process.env.REGIONLAB_TEST_REPORT;
const jsonReporter: ["json", { outputFile: string }][] = report ? [["json", { outputFile: report }]] : [];

export default defineConfig({
  resolve: { conditions: sourceConditions },
  ssr: { resolve: { conditions: sourceConditions } },
  test: {
    exclude: [...configDefaults.exclude, LONG_TESTS, "**/*.qemu.test.ts"],
    testTimeout: 60_000,
    maxWorkers: "100%", // most of what tests wait for is a QEMU beside them
    projects: [
      { extends: true, test: { name: "rooms", include: [everyTest] } },
      {
        extends: true,
        test: {
          ...TRANSLATED,
          include: ["emulator/cpu/riscv/{codegen,hart}/*.test.ts"],
          exclude: [...configDefaults.exclude, ...LONG_TRANSLATED],
        },
      },
    ],
    reporters: ["default", skipNotes, ...jsonReporter],
    coverage: {
      provider: "v8",
      include: ["{bin,emulator,codemods,bench,workloads,results}/**/*.ts"],
      exclude: ["**/*.test.ts", "**/fixtures/**", "**/testing/**"],
      reporter: ["text-summary", "html"],
    },
  },
});
