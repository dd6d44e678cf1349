/** Fetches Debian 13's installer for riscv64 through apt, on a Debian of any release and architecture. */
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandError } from "#host";
import { DEBIAN_INITRD, DEBIAN_KERNEL, type DebianFolders, DISK_MODULES, MODULES } from "./debian.ts";
import { EDK2_CODE, EDK2_VARIABLES } from "./edk2.ts";
import { type PackagedFile, type PackageTools, replaceFolder, verify } from "./packages.ts";
import { privateApt } from "./private-apt.ts";

const ARCHITECTURE = "riscv64";

/**
 * Names under which a mirror has Debian 13. Under one of them, a caching mirror can serve an index that is older than
 * its release file, which apt refuses; under the other name both are often of the same age.
 */
const SUITES: readonly string[] = ["trixie", "stable"];

/** What to do without apt. */
const BY_HAND =
  `unpack the packages ${DEBIAN_KERNEL.package} and ${EDK2_CODE.package} of Debian 13 and the linux-image-*-riscv64 of the same kernel ` +
  "in the folder where regionlab looks for them";

/**
 * Downloads the packages and unpacks the required files to `folders.unpacked`, replacing its content. apt runs with
 * private folders and one source, the mirror that the host already uses; the host's own apt is not changed.
 * Throws `CommandError`, in which case `folders.unpacked` is left untouched.
 */
export function fetchDebian(folders: DebianFolders): void {
  const failures: string[] = [];
  for (const suite of SUITES) {
    try {
      replaceFolder(folders.unpacked, (tree, scratch) => unpackSuite(suite, tree, scratch));
      return;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      failures.push(error.message);
    }
  }
  throw new CommandError([...new Set(failures)].join("; "));
}

function unpackSuite(suite: string, tree: string, scratch: string): void {
  const tools = privateApt(scratch, { suite, architecture: ARCHITECTURE, byHand: BY_HAND });
  unpackVerified(tools, [DEBIAN_KERNEL, DEBIAN_INITRD], tree, scratch);
  unpackVerified(tools, [EDK2_CODE, EDK2_VARIABLES], tree, scratch);
  unpackModules(tools, kernelRelease(join(tree, DEBIAN_KERNEL.path)), tree, scratch);
}

/** Downloads the package that carries `files`, unpacks all of it to `tree`, and checks them. */
function unpackVerified(
  tools: PackageTools,
  files: readonly [PackagedFile, ...PackagedFile[]],
  tree: string,
  scratch: string,
): void {
  const [{ package: name }] = files;
  tools.download(scratch, [name]);
  const sums = tools.unpack(scratch, name, tree);
  for (const file of files) verify(file, join(tree, file.path), sums);
}

/** Adds modules that the installer lacks, from the package of the same kernel. */
function unpackModules(tools: PackageTools, release: string, tree: string, scratch: string): void {
  const image = `linux-image-${release}`;
  const imageTree = join(scratch, "image");
  const [first = "", ...others] = DISK_MODULES.map((module) => `${MODULES}/${release}/${module}`);
  const inImage = (path: string): PackagedFile => ({ package: image, path });
  unpackVerified(tools, [inImage(first), ...others.map(inImage)], imageTree, scratch);
  for (const path of [first, ...others]) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    cpSync(join(imageTree, path), join(tree, path));
  }
}

/** The release string in a kernel image. Throws `CommandError` if it has none. */
export function kernelRelease(path: string): string {
  const release = /Linux version (\S+) /.exec(readFileSync(path, "latin1"))?.[1];
  if (release === undefined) {
    throw new CommandError(
      `${path} is not an uncompressed Linux kernel: this release of Debian packs it differently`,
    );
  }
  return release;
}
