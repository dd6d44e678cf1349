/** The two builds of QEMU make the same machines, and pass the same tests of QEMU's own. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildFolder, QTESTS, qtestFile } from "./build.ts";
import { regionlab, run, whyNoBuild } from "./testing.ts";

const TARGETS = ["riscv64", "x86_64"] as const;

const program = (build: string, target: string) => join(build, `qemu-system-${target}`);

test("eight machines of riscv64 answer the same in both builds", async ({ skip }) => {
  const [a, b] = [buildFolder("a"), buildFolder("b")];
  const why = whyNoBuild(program(a, "riscv64"), program(b, "riscv64"));
  if (why !== undefined) skip(why);
  const { status, stdout, stderr } = await regionlab("bench", "qemu", "machines", "--a", a, "--b", b);
  console.log(stdout);
  expect(status, stderr).toBe(0);
});

describe.each(TARGETS)("%s", (target) => {
  const [a, b] = [buildFolder("a", target), buildFolder("b", target)];
  const why = whyNoBuild(program(a, target), program(b, target));

  test.for(QTESTS)("%s says the same in both builds", async (name, { skip }) => {
    if (why !== undefined) skip(why);
    const [left, right] = [await results(a, target, name), await results(b, target, name)];
    const count = (word: RegExp) => left.filter((line) => word.test(line)).length;
    console.log(`${target} ${name}: ${count(/^ok /)} ok, of which ${count(/# SKIP/)} skipped`);
    expect(left.length).toBeGreaterThan(0);
    expect(left.filter((line) => line.startsWith("not ok"))).toEqual([]);
    expect(right).toEqual(left);
  });
});

/** The verdicts of one of QEMU's tests, in its order. */
async function results(build: string, target: string, name: string): Promise<string[]> {
  const { stdout } = await run(join(build, qtestFile(name)), ["--tap", "-k"], {
    folder: build,
    environment: { QTEST_QEMU_BINARY: program(build, target), MALLOC_PERTURB_: "165" },
  });
  return stdout.split("\n").filter((line) => /^(?:not )?ok /.test(line));
}
