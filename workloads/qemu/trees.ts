/** The trees that are built or checked: QEMU's source with the API of owned regions, unconverted and converted. */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { CommandError } from "#host";
import { packageRoot } from "../package-root.ts";
import { placeBlobs } from "./firmware.ts";

/** `a` has embedded regions, `b` owned ones; `checks` is as `a`, configured for all targets, and never built. */
export type TreeName = "a" | "b" | "checks";
export const BUILT: readonly TreeName[] = ["a", "b"];

/** Where builds are kept, within a tree. */
export const BUILDS = /^build/;

/** Firmware's own sources: most of the archive, and no part of these builds. */
const LEFT_OUT = "roms";

/** Name of the list of riscv64's devices that builds have. */
export const DEVICES = "regionlab";

/** The usual devices, and one that can be plugged in and allocates its regions by hand: no usual device of riscv64 does both. */
const DEVICE_LIST = "include default.mak\nCONFIG_IDE_SII3112=y\n";

/** Exit code of `regionlab c to-owned` that says that regions were refused. */
const REFUSED = 3;

/**
 * Makes a tree what the codemods of this checkout make of the source. Only files that differ are written, so that the next
 * build compiles no more than it has to. Returns the number of files written.
 * @throws CommandError
 */
export function updateTree(name: TreeName, folders: { source: string; blobs: string; tree: string }): number {
  const { source, blobs, tree } = folders;
  mkdirSync(dirname(tree), { recursive: true });
  const scratch = mkdtempSync(join(dirname(tree), "convert-"));
  try {
    const copy = join(scratch, "tree");
    mkdirSync(copy);
    run("cp", ["-a", ...partsOf(source).map((name) => join(source, name)), copy], [0]);
    placeBlobs(copy, blobs);
    writeFileSync(join(copy, "configs/devices/riscv64-softmmu", `${DEVICES}.mak`), DEVICE_LIST);
    codemod(["add-api", copy, "--write", "--allow-dirty"], [0]);
    if (name === "b") codemod(["to-owned", copy, "--write", "--allow-dirty"], [0, REFUSED]);
    return copyChanged(copy, tree);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What a tree takes of a source. QEMU's configure, even with `--help`, makes a build folder where it is run: that would replace the tree's. */
export function partsOf(source: string): string[] {
  return readdirSync(source).filter((name) => name !== LEFT_OUT && !BUILDS.test(name));
}

/** Runs `regionlab c …`. @throws CommandError if it ends otherwise than expected. */
function codemod(args: readonly string[], expected: readonly number[]): void {
  run(process.execPath, [join(packageRoot(), "dist/bin/cli.js"), "c", ...args], expected);
}

function run(program: string, args: readonly string[], expected: readonly number[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 2 ** 30 });
  if (status !== null && expected.includes(status)) return;
  throw new CommandError(`${program} ${args.join(" ")} ended with ${status}: ${stderr.trim()}`, {
    exitCode: 1,
  });
}

/** Copies what differs and removes what is gone, but for builds. Returns the number of files that changed. */
export function copyChanged(from: string, to: string): number {
  mkdirSync(to, { recursive: true });
  let changed = 0;
  const entries = readdirSync(from, { withFileTypes: true });
  const names = new Set(entries.map(({ name }) => name));
  for (const name of readdirSync(to)) {
    if (names.has(name) || BUILDS.test(name)) continue;
    rmSync(join(to, name), { recursive: true });
    changed++;
  }
  for (const entry of entries) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) changed += copyChanged(source, target);
    else if (!entry.isFile() || !existsSync(target) || !readFileSync(source).equals(readFileSync(target))) {
      if (!entry.isFile() && existsSync(target)) continue;
      cpSync(source, target, { verbatimSymlinks: true });
      changed++;
    }
  }
  return changed;
}
