/** The firmware in QEMU's `pc-bios`, which Debian's source package leaves out: from Debian's own packages, or empty. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "#host";
import { PackageTools, replaceFolder } from "../packages.ts";

const PACKAGES: readonly string[] = ["opensbi", "seabios", "ipxe-qemu", "qemu-system-data"];
/** Where the packages have their files, the first that has a name being taken. */
const FOLDERS: readonly string[] = ["usr/share/seabios", "usr/lib/ipxe/qemu", "usr/share/qemu"];
/** Names that the packages do not have. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ["opensbi-riscv64-generic-fw_dynamic.bin", "usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin"],
]);

/** Unpacks the packages to `folder` unless that has been done. @throws CommandError */
export function fetchBlobs(folder: string): void {
  if (existsSync(folder)) return;
  const tools = new PackageTools("place the files of QEMU's pc-bios there");
  replaceFolder(folder, (tree, scratch) => {
    tools.download(scratch, PACKAGES);
    for (const name of PACKAGES) tools.unpack(scratch, name, tree);
  });
}

/**
 * Puts all that the tree's build files want from `pc-bios` there. Returns the names of those that no package has and that
 * are empty: the build installs them, and only machines of other architectures or boots with EDK2 would read them.
 * @throws CommandError if the tree has no `pc-bios/meson.build`
 */
export function placeBlobs(tree: string, packages: string): string[] {
  const folder = join(tree, "pc-bios");
  const list = join(folder, "meson.build");
  if (!existsSync(list)) throw new CommandError(`${list} is missing: give a complete QEMU tree`);
  const empty: string[] = [];
  for (const name of [...wantedBlobs(readFileSync(list, "utf8")), ...deviceTreesOf(folder)]) {
    const to = join(folder, name);
    if (existsSync(to)) continue;
    const from = [...FOLDERS.map((each) => `${each}/${name}`), RENAMED.get(name) ?? ""]
      .filter((each) => each !== "")
      .map((each) => join(packages, each))
      .find(existsSync);
    if (from !== undefined) {
      copyFileSync(from, to);
      continue;
    }
    empty.push(name);
    writeFileSync(to, name.endsWith(".bz2") ? execFileSync("bzip2", { input: "" }) : "");
  }
  return empty;
}

/** The files that `pc-bios/meson.build` lists; EDK2's are unpacked from compressed ones. */
export function wantedBlobs(text: string): string[] {
  const lists = text.matchAll(/^\s*(blobs|fds) = \[([^\]]*)\]/gm);
  return [...lists].flatMap(([, list, names = ""]) =>
    [...names.matchAll(/'([^']+)'/g)].map(([, name = ""]) => (list === "fds" ? `${name}.bz2` : name)),
  );
}

/** Device trees, which are compiled where there is a `dtc`; without one they have to be there. */
function deviceTreesOf(folder: string): string[] {
  const sources = join(folder, "dtb");
  if (!existsSync(sources)) return [];
  return readdirSync(sources)
    .filter((name) => name.endsWith(".dts"))
    .map((name) => `dtb/${name.replace(/dts$/, "dtb")}`);
}
