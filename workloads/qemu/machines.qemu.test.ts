/** The two builds of QEMU make the same machines, and pass the same tests of QEMU's own. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { buildFolder, QTESTS, qtestFile } from "./build.ts";
import { regionlab, run, whyNoBuild } from "./testing.ts";

const program = (build: string, target: string) => join(build, `qemu-system-${target}`);

describe("riscv64", () => {
  const [a, b] = [buildFolder("a"), buildFolder("b")];
  let why: string | undefined;

  beforeAll(async () => {
    why = await whyNoBuild();
  });

  test("eight machines answer the same in both builds", async ({ skip }) => {
    if (why !== undefined) skip(why);
    const { status, stdout, stderr } = await regionlab("bench", "qemu", "machines", "--a", a, "--b", b);
    console.log(stdout);
    expect(status, stderr).toBe(0);
  });

  test.for(QTESTS)("%s says the same in both builds", async (name, { skip }) => {
    if (why !== undefined) skip(why);
    await compareResults("riscv64", a, b, name);
  });
});

describe("x86_64", () => {
  const [a, b] = [buildFolder("a", "x86_64"), buildFolder("b", "x86_64")];
  const missing = [a, b].map((build) => program(build, "x86_64")).find((file) => !existsSync(file));

  test.for(QTESTS)("%s says the same in both builds", async (name, { skip }) => {
    if (missing !== undefined) skip(`no ${missing}: run \`npm run qemu:build -- --target x86_64\``);
    await compareResults("x86_64", a, b, name);
  });
});

async function compareResults(target: string, a: string, b: string, name: string): Promise<void> {
  const [left, right] = [await results(a, target, name), await results(b, target, name)];
  const count = (word: RegExp) => left.filter((line) => word.test(line)).length;
  console.log(`${target} ${name}: ${count(/^ok /)} ok, of which ${count(/# SKIP/)} skipped`);
  expect(left.length).toBeGreaterThan(0);
  expect(left.filter((line) => line.startsWith("not ok"))).toEqual([]);
  expect(right).toEqual(left);
}

/** The verdicts of one of QEMU's tests, in its order. */
async function results(build: string, target: string, name: string): Promise<string[]> {
  const began = performance.now();
  const { status, stdout, stderr } = await run(join(build, qtestFile(name)), ["--tap", "-k"], {
    folder: build,
    environment: { QTEST_QEMU_BINARY: program(build, target), MALLOC_PERTURB_: "165" },
  });
  console.log(`${name} in ${build}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
  expect(status, stderr).toBe(0);
  return stdout.split("\n").filter((line) => /^(?:not )?ok /.test(line));
}
