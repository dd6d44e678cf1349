import { defineConfig } from "vitest/config";
import config, { LONG_TESTS, LONG_TRANSLATED, TRANSLATED } from "./vitest.config.ts";

const MINUTES = 60_000;

const { projects, ...shared } = config.test ?? {};

/** Tests that take minutes each: whole distributions, the kernels of the processor's benchmark, an installed package. */
export default defineConfig({
  ...config,
  test: {
    ...shared,
    exclude: ["dist/**"],
    testTimeout: 40 * MINUTES,
    fileParallelism: false,
    projects: [
      { extends: true, test: { name: "whole systems", include: [LONG_TESTS] } },
      { extends: true, test: { ...TRANSLATED, include: LONG_TRANSLATED } },
    ],
  },
});
