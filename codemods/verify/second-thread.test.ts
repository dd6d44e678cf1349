/** A plan that is large enough for a second thread, which only the built command has, is checked as without one. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCodemod } from "../run.ts";
import { temporaryPackage } from "../testing/many-devices.ts";

const root = join(import.meta.dirname, "../..");
const many = 110;
/** Makes every file long enough for there to be several batches. */
const padding = `// ${"x".repeat(8000)}`;

/** Each device converts, but for those whose field `io` another file will not have. */
function sources(): Map<string, string> {
  const files = new Map<string, string>();
  for (let index = 0; index < many; index++) {
    files.set(
      `devices/d${index}.ts`,
      [
        'import { MemoryRegion, type MemoryRegionOps } from "#memory";',
        'import { SysBusDevice } from "#qdev";',
        `export class D${index} extends SysBusDevice {`,
        "  protected override realize(): void {",
        '    const io = MemoryRegion.newIo(this, ops, this, "io", 0x40);',
        "    this.initMmio(io);",
        "  }",
        "}",
        "const ops: MemoryRegionOps<unknown> = { read: () => 0, write: () => {} };",
        padding,
        "",
      ].join("\n"),
    );
  }
  for (const index of [3, 58, 104]) {
    files.set(
      `devices/user${index}.ts`,
      `import { D${index} } from "./d${index}.ts";\nexport const fits: { reset(): void; io?: number } = new D${index}();\n`,
    );
  }
  return files;
}

let devices: ReturnType<typeof temporaryPackage>;
beforeEach(() => {
  devices = temporaryPackage(root, sources());
});
afterEach(() => devices.remove());

test("with the same report, refusals in either half included", async () => {
  const path = join(devices.path, "devices");
  const command = ["dist/bin/cli.js", "codemod", "to-embedded", path, "--json", "-"];
  const { stdout, stderr } = spawnSync(process.execPath, command, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1e9,
  });
  let report = "";
  await runCodemod("to-embedded", [path], { json: "-" }, (text) => {
    report += text;
  });
  expect(stderr).toBe("");
  expect(stdout.trim()).toBe(report.trim());
  const refused = [...report.matchAll(/"reason": "would-not-compile"/g)];
  expect(refused).toHaveLength(3);
});
