/**
 * QEMU's source, from Debian's source package, for tests and measurements of the C codemods. It stays outside the
 * repository: QEMU is under the GPL.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "#host";
import { cacheFolder } from "./cache-folder.ts";
import { type PackageTools, replaceFolder } from "./packages.ts";
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
  replaceFolder(folder, (tree, scratch) => {
    const failures: string[] = [];
    const found: Candidate[] = [];
    // Most suites are never asked: the first usually has the version.
    for (const suite of SUITES) {
      attempt(failures, () => found.push(...candidatesOf(suite, join(scratch, suite))));
      const exact = found.find(({ version }) => version.includes(`:${VERSION}+`));
      if (exact !== undefined && attempt(failures, () => download(exact))) {
        unpack(exact, tree);
        return;
      }
    }
    for (const candidate of found) {
      if (!attempt(failures, () => download(candidate))) continue;
      unpack(candidate, tree);
      return;
    }
    throw new CommandError([...new Set(failures)].join("; ") || "Debian has no source of QEMU");
  });
}

/** A version that can be had. */
interface Candidate {
  readonly version: string;
  readonly tools: PackageTools;
  readonly folder: string;
}

/** Whether a step succeeded; its failure is noted. */
function attempt(failures: string[], step: () => void): boolean {
  try {
    step();
    return true;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    failures.push(error.message);
    return false;
  }
}

/** What a suite has, the newest first. */
function candidatesOf(suite: string, folder: string): Candidate[] {
  mkdirSync(folder);
  const tools = privateApt(folder, { suite, byHand: BY_HAND });
  const versions = tools.sourceVersions(folder, "qemu").reverse();
  return versions.map((version) => ({ version, tools, folder }));
}

function download({ version, tools, folder }: Candidate): void {
  tools.apt(folder, "source", "--download-only", `qemu=${version}`);
}

function unpack({ tools, folder }: Candidate, tree: string): void {
  const archive = readdirSync(folder).find((file) => /^qemu_.*\.orig\.tar\.\w+$/.test(file));
  if (archive === undefined)
    throw new CommandError("apt-get source left no qemu_*.orig.tar.*: try it manually");
  tools.run("tar", ["-xf", archive, "-C", tree, "--strip-components=1"], folder);
}
