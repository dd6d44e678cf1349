import { spawnSync } from "node:child_process";
import type { TestContext } from "vitest";

/** Skips the running test, with a reason, if a program is not installed. */
export function skipWithout(test: TestContext, program: string, debianPackage: string): void {
  const found = spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
  test.skip(!found, `${program} is not installed (Debian package ${debianPackage})`);
}
