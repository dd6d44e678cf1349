import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runChild } from "./child-process.ts";

const entry = fileURLToPath(new URL("fixtures/child.mjs", import.meta.url));
const options = { entry, execArgv: ["--expose-gc"], timeout: 20_000 };
const run = (request: unknown, change: Partial<typeof options> = {}) =>
  runChild(request, "boot, arm B, repeat 3", { ...options, ...change });

describe("runChild", () => {
  it("returns the report of a new process with the requested runtime options", async () => {
    expect(await run({ behave: "report", value: [1, "two"] })).toEqual({
      echo: [1, "two"],
      execArgv: ["--expose-gc"],
      gc: "function",
    });
  });

  it("fails with the child's own message when it crashes", async () => {
    await expect(run({ behave: "crash" })).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(
        /failed \(boot, arm B, repeat 3\): exit code 1; .*line before the end.*the device exploded/s,
      ),
    });
  });

  it.each([
    ["error", /: TypeError: no such task$/],
    ["silent", /: ended without a report$/],
    ["abort", /: ended by SIGKILL$/],
  ])("fails when the child ends by %s", async (behave, message) => {
    await expect(run({ behave })).rejects.toThrow(message);
  });

  it("kills a child that takes too long", async () => {
    await expect(run({ behave: "hang" }, { timeout: 300 })).rejects.toThrow(/no result after 0\.3 s/);
  });

  it("fails when there is no such program", async () => {
    await expect(run({ behave: "report" }, { entry: `${entry}.none` })).rejects.toThrow(/exit code 1/);
  });
});
