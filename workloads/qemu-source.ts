/**
 * QEMU's source, from Debian's source package, for tests and measurements of the C codemods. It stays outside the
 * repository: QEMU is under the GPL.
 */
import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "#host";
import { cacheFolder } from "./cache-folder.ts";
import { replaceFolder } from "./packages.ts";
import { privateApt } from "./private-apt.ts";

/** The version that the debate is about, which one of these suites may still have; otherwise their newest is taken. */
const VERSION = "10.2.2";
const SUITES: readonly string[] = ["sid", "trixie-backports", "trixie"];

const BY_HAND = `unpack the source of QEMU ${VERSION} in the folder where regionlab looks for it`;

/** Where the unpacked tree is kept. Nothing writes to it after it is unpacked. */
export function qemuSourceFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return join(cacheFolder(environment), "qemu", "source");
}

/** The version of an unpacked tree, from its own file; undefined if there is none. */
export function qemuVersion(tree: string): string | undefined {
  const file = join(tree, "VERSION");
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

/**
 * Downloads Debian's source package and unpacks the upstream source, without Debian's changes, replacing the content of
 * `folder`.
 * @throws CommandError in which case the folder is left untouched.
 */
export function fetchQemuSource(folder: string): void {
  const failures: string[] = [];
  for (const wanted of [VERSION, undefined]) {
    for (const suite of SUITES) {
      try {
        replaceFolder(folder, (tree, scratch) => unpack(suite, wanted, tree, scratch));
        return;
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        failures.push(error.message);
      }
    }
  }
  throw new CommandError([...new Set(failures)].join("; "));
}

function unpack(suite: string, wanted: string | undefined, tree: string, scratch: string): void {
  const tools = privateApt(scratch, { suite, byHand: BY_HAND });
  const versions = [
    ...tools
      .run("apt-cache", [...tools.aptOptions, "showsrc", "qemu"], scratch)
      .matchAll(/^Version: (.+)$/gm),
  ]
    .map(([, version = ""]) => version)
    .filter((version) => wanted === undefined || version.includes(`:${wanted}+`));
  const version = versions.at(-1);
  if (version === undefined) throw new CommandError(`Debian's ${suite} has no source of QEMU ${wanted}`);
  tools.apt(scratch, "source", "--download-only", `qemu=${version}`);
  const archive = readdirSync(scratch).find((file) => /^qemu_.*\.orig\.tar\.\w+$/.test(file));
  if (archive === undefined)
    throw new CommandError("apt-get source left no qemu_*.orig.tar.*: try it manually");
  const unpacked = join(scratch, "unpacked");
  tools.run("tar", ["-xf", archive, "--one-top-level=unpacked", "--strip-components=1"], scratch);
  for (const entry of readdirSync(unpacked)) renameSync(join(unpacked, entry), join(tree, entry));
}
