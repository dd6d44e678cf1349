import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { buildFolder, inputsOf, main, missingPackages, systemTargets } from "./build.ts";
import { placeBlobs, wantedBlobs } from "./firmware.ts";
import { copyChanged, partsOf } from "./trees.ts";

const scratch = mkdtempSync(join(tmpdir(), "regionlab-qemu-build-"));
afterAll(() => rmSync(scratch, { recursive: true }));

test("missing packages are named, by a file of each", () => {
  expect(missingPackages(() => true)).toEqual([]);
  expect(missingPackages((file) => !file.includes("pixman"))).toEqual(["libpixman-1-dev"]);
});

test("system targets are those with a file of their own", () => {
  const files = ["x86_64-softmmu.mak", "arm-linux-user.mak", "riscv64-softmmu.mak", "README"];
  expect(systemTargets(files)).toEqual(["riscv64-softmmu", "x86_64-softmmu"]);
});

test("each target of a tree has a build folder", () => {
  const environment = { REGIONLAB_CACHE: "/cache" };
  expect(buildFolder("a", undefined, environment)).toBe("/cache/qemu/a/build");
  expect(buildFolder("b", "x86_64", environment)).toBe("/cache/qemu/b/build-x86_64");
  expect(buildFolder("b", "riscv64-sanitizers", environment)).toBe("/cache/qemu/b/build-riscv64-sanitizers");
  expect(buildFolder("checks", "all", environment)).toBe("/cache/qemu/checks/build");
});

test("a build is another one if the version, the options or the codemods are, but not for their tests", () => {
  const codemods = join(scratch, "codemods");
  mkdirSync(join(codemods, "passes"), { recursive: true });
  mkdirSync(join(codemods, "oracle"));
  const goal = { name: "riscv64", targets: ["riscv64-softmmu"], options: [], makes: ["all"] };
  writeFileSync(join(codemods, "passes/1-lex.js"), "1");
  const before = inputsOf("10.2.2", goal, codemods);
  for (const file of ["passes/1-lex.test.js", "oracle/main.js"]) writeFileSync(join(codemods, file), "2");
  expect(inputsOf("10.2.2", goal, codemods)).toBe(before);
  expect(inputsOf("10.2.3", goal, codemods)).not.toBe(before);
  expect(inputsOf("10.2.2", { ...goal, makes: undefined }, codemods)).not.toBe(before);
  expect(inputsOf("10.2.2", { ...goal, options: ["--enable-asan"] }, codemods)).not.toBe(before);
  writeFileSync(join(codemods, "passes/1-lex.js"), "2");
  expect(inputsOf("10.2.2", goal, codemods)).not.toBe(before);
});

test.each([
  [["--tree", "c"], /give a or b/],
  [["--target", "arm", "--all-targets"], /exclude each other/],
  [["--tree", "a", "--all-targets"], /leave out --tree/],
  [["--sanitizers", "--all-targets"], /exclude each other/],
  [["--fast"], /--fast/],
])("usage errors are named: %j", async (args, message) => {
  const said = vi.spyOn(console, "error").mockImplementation(() => undefined);
  expect(await main(args)).toBe(2);
  expect(said.mock.calls.join()).toMatch(message);
  said.mockRestore();
});

test("firmware comes from the packages; what they lack is empty", () => {
  const tree = join(scratch, "tree");
  const packages = join(scratch, "packages");
  mkdirSync(join(tree, "pc-bios", "dtb"), { recursive: true });
  mkdirSync(join(packages, "usr/share/seabios"), { recursive: true });
  writeFileSync(join(packages, "usr/share/seabios/beep.bin"), "beep");
  const list = "  fds = [\n    'edk2-x.fd',\n  ]\nblobs = [\n  'beep.bin',\n  'other.bin',\n]\n";
  writeFileSync(join(tree, "pc-bios/meson.build"), list);
  writeFileSync(join(tree, "pc-bios/dtb/board.dts"), "");
  expect(wantedBlobs(list)).toEqual(["edk2-x.fd.bz2", "beep.bin", "other.bin"]);
  expect(placeBlobs(tree, packages)).toEqual(["edk2-x.fd.bz2", "other.bin", "dtb/board.dtb"]);
  expect(readFileSync(join(tree, "pc-bios/beep.bin"), "utf8")).toBe("beep");
  expect(readFileSync(join(tree, "pc-bios/edk2-x.fd.bz2")).subarray(0, 3).toString()).toBe("BZh");
});

test("only files that differ are copied; builds stay, and what is gone goes", () => {
  const [from, to] = [join(scratch, "from"), join(scratch, "to")];
  for (const folder of [join(from, "hw"), join(to, "hw"), join(to, "build")])
    mkdirSync(folder, { recursive: true });
  writeFileSync(join(from, "hw/same.c"), "1");
  writeFileSync(join(to, "hw/same.c"), "1");
  writeFileSync(join(from, "hw/other.c"), "2");
  writeFileSync(join(to, "hw/other.c"), "3");
  writeFileSync(join(to, "hw/gone.c"), "4");
  writeFileSync(join(to, "build/object.o"), "5");
  expect(copyChanged(from, to)).toBe(2);
  expect(copyChanged(from, to)).toBe(0);
  expect(readFileSync(join(to, "hw/other.c"), "utf8")).toBe("2");
  expect(readFileSync(join(to, "build/object.o"), "utf8")).toBe("5");
});

test("a build in the source is no part of a tree, nor are the firmware's sources", () => {
  const source = join(scratch, "source");
  for (const name of ["hw", "build", "roms"]) mkdirSync(join(source, name), { recursive: true });
  writeFileSync(join(source, "block.c"), "");
  expect(partsOf(source).sort()).toEqual(["block.c", "hw"]);
});
