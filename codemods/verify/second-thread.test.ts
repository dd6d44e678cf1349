/** A second thread finds what the caller would, and a plan that it shares is judged as a small one is. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Configurations } from "../source/compiler-options.ts";
import { temporaryPackage } from "../testing/many-devices.ts";
import { Scratch } from "../testing/scratch.ts";
import { Compiler, type Diagnostic, TextSource } from "./compiler.ts";

const root = join(import.meta.dirname, "../..");

let scratch: Scratch;
beforeEach(() => {
  scratch = new Scratch();
});
afterEach(() => scratch.remove());

test("the thread checks the batches that the caller has not taken", async () => {
  // Only what is built can start it.
  const built = join(root, "dist/codemods/verify/second-thread.js");
  const { SecondThread }: typeof import("./second-thread.ts") = await import(built);
  scratch.write("tsconfig.json", JSON.stringify({ compilerOptions: { strict: true, types: [] } }));
  const texts = new Map(
    ["1", '"x"', "(", "2"].map((value, index): [string, string] => {
      return [scratch.write(`${index}.ts`, "export {};"), `export const size: number = ${value};`];
    }),
  );
  const batches = [...texts.keys()].map((path) => [path]);
  const [first = ""] = texts.keys();
  const configuration = new Configurations().forFile(first);
  const compiler = new Compiler(configuration, new TextSource(texts));
  const expected = batches.map((batch) => compiler.diagnose(batch, texts));
  expect(expected.map((found) => found.map(({ code }) => code))).toEqual([[], [2322], [1109], []]);

  const second = SecondThread.forMany(Array(1000).fill(first));
  if (second === undefined) throw new Error("no second thread");
  let found: (readonly Diagnostic[])[] = [];
  for (let mine = batches.length; mine === batches.length; ) {
    mine = 0;
    found = second.share(configuration, batches, texts, (batch) => {
      mine++;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50); // the thread has time to take others
      return compiler.diagnose(batch, texts);
    });
  }
  second.stop();
  expect(found).toEqual(expected);
}, 300_000);

/** A device with an owned region `io`, which becomes a private field; long enough for there to be several batches. */
function device(index: number): string {
  return [
    'import { MemoryRegion, type MemoryRegionOps } from "#memory";',
    'import { SysBusDevice } from "#qdev";',
    `export class D${index} extends SysBusDevice {`,
    "  protected override realize(): void {",
    '    const io = MemoryRegion.newIo(this, ops, this, "io", 0x40);',
    "    this.initMmio(io);",
    "  }",
    "}",
    "const ops: MemoryRegionOps<unknown> = { read: () => 0, write: () => {} };",
    `// ${"x".repeat(8000)}`,
    "",
  ].join("\n");
}

test("of many devices those are refused that other code would no longer fit", () => {
  const files = new Map(Array.from({ length: 110 }, (_, index) => [`devices/d${index}.ts`, device(index)]));
  const fits = (index: number) => {
    const use = `export const fits: { reset(): void; io?: number } = new D${index}();`;
    return `import { D${index} } from "./d${index}.ts";\n${use}\n`;
  };
  const refused = [3, 58, 99, 104];
  for (const index of [3, 58, 104]) files.set(`devices/user${index}.ts`, fits(index));
  // The first file is compiled before the last one has been judged, and once more after it.
  files.set("devices/d0.ts", device(0) + fits(99));
  const devices = temporaryPackage(root, files);
  try {
    const command = [
      "dist/bin/cli.js",
      "codemod",
      "to-embedded",
      join(devices.path, "devices"),
      "--json",
      "-",
    ];
    const { stdout } = spawnSync(process.execPath, command, { cwd: root, encoding: "utf8", maxBuffer: 1e9 });
    const report: { files: { sites: { className: string; outcome: string; reason?: string }[] }[] } =
      JSON.parse(stdout);
    const sites = report.files.flatMap((file) => file.sites);
    const stopped = sites.filter(({ outcome }) => outcome !== "converted");
    expect(sites).toHaveLength(110);
    expect(stopped.map(({ className, reason }) => `${className} ${reason}`).sort()).toEqual(
      refused.map((index) => `D${index} would-not-compile`).sort(),
    );
  } finally {
    devices.remove();
  }
}, 300_000);
