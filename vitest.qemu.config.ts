import { defineConfig } from "vitest/config";
import config from "./vitest.config.ts";

const MINUTES = 60_000;

const { projects, ...shared } = config.test ?? {};

/** Tests of the C codemods on QEMU's own source, and on builds of it. */
export default defineConfig({
  ...config,
  test: {
    ...shared,
    exclude: ["dist/**"],
    testTimeout: 60 * MINUTES,
    hookTimeout: 120 * MINUTES,
    fileParallelism: false,
    include: ["workloads/qemu/*.qemu.test.ts"],
  },
});
