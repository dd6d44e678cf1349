import { mkdirSync, renameSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Scratch } from "../testing/scratch.ts";
import { openWorkspace } from "./workspace.ts";

let scratch: Scratch;
beforeEach(() => {
  scratch = new Scratch();
});
afterEach(() => scratch.remove());

const device = (base: string) =>
  `import { Base } from ${JSON.stringify(base)};\nexport class Dut extends Base {}\n`;
const base = 'import { SysBusDevice } from "#qdev";\nexport class Base extends SysBusDevice {}\n';

/** Names of the classes that a device derives from, as far as they are found. */
function basesOf(name: string): string[] {
  const [file] = openWorkspace([scratch.path(name)]).targets;
  const names: string[] = [];
  for (let each = file?.getClass("Dut")?.getBaseClass(); each !== undefined; each = each.getBaseClass()) {
    names.push(each.getName() ?? "");
  }
  return names;
}

function configure(compilerOptions: object): void {
  scratch.write("tsconfig.json", JSON.stringify({ compilerOptions }));
}

test("imports mean what the project's configuration says", () => {
  scratch.write("src/base.ts", base);
  scratch.write("src/devices/dut.ts", device("@/base"));
  expect(basesOf("src/devices/dut.ts")).toEqual([]);
  configure({
    module: "esnext",
    moduleResolution: "bundler",
    customConditions: ["source"],
    paths: { "@/*": ["./src/*"] },
  });
  expect(basesOf("src/devices/dut.ts").slice(0, 2)).toEqual(["Base", "SysBusDevice"]);
});

test("imports without an extension are found where the configuration allows them", () => {
  scratch.write("src/base.ts", base);
  scratch.write("src/dut.ts", device("./base"));
  configure({ module: "esnext", moduleResolution: "bundler", customConditions: ["source"] });
  expect(basesOf("src/dut.ts").slice(0, 2)).toEqual(["Base", "SysBusDevice"]);
});

test("a configuration under which the memory component is not found is not followed", () => {
  scratch.write("base.ts", base);
  scratch.write("dut.ts", device("./base.ts"));
  configure({ module: "esnext", moduleResolution: "bundler" });
  const { identity, targets } = openWorkspace([scratch.path("dut.ts")]);
  expect(identity.resolved).toBe(true);
  expect(targets).toHaveLength(1);
});

test("a source of an installed package's user resolves without conditions", () => {
  mkdirSync(scratch.path("node_modules/regionlab"), { recursive: true });
  renameSync(scratch.path("stub"), scratch.path("node_modules/regionlab/stub"));
  const exports = { "./memory": "./stub/memory.ts", "./qom": "./stub/qom.ts", "./qdev": "./stub/qdev.ts" };
  const imports = { "#qom": "./stub/qom.ts", "#memory": "./stub/memory.ts", "#qdev": "./stub/qdev.ts" };
  const manifest = { name: "regionlab", type: "module", exports, imports };
  scratch.write("node_modules/regionlab/package.json", JSON.stringify(manifest));
  scratch.write("package.json", JSON.stringify({ name: "user", type: "module" }));
  scratch.write(
    "dut.ts",
    'import { SysBusDevice } from "regionlab/qdev";\nexport class Dut extends SysBusDevice {}\n',
  );
  expect(openWorkspace([scratch.path("dut.ts")]).identity.resolved).toBe(true);
});
