/** Downloads and unpacks Debian packages with the distribution's own tools, without installing them. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandError } from "#host";

/** A file, and the Debian package that contains it. */
export interface PackagedFile {
  /** Name of the Debian package. */
  readonly package: string;
  /** Where the package puts the file, relative to the root of the file system. */
  readonly path: string;
}

/**
 * Replaces a folder's content: `fill` unpacks into `tree` and may use `scratch` for temporary files. The tree is moved
 * into place once it is complete, so the folder is either complete or unchanged.
 * Throws `CommandError` if the folder's parent cannot be written to, and anything that `fill` throws.
 */
export function replaceFolder(folder: string, fill: (tree: string, scratch: string) => void): void {
  const scratch = makeScratch(dirname(folder));
  try {
    const tree = join(scratch, "tree");
    mkdirSync(tree);
    fill(tree, scratch);
    rmSync(folder, { recursive: true, force: true });
    renameSync(tree, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function makeScratch(cache: string): string {
  try {
    mkdirSync(cache, { recursive: true });
    return mkdtempSync(join(cache, "fetch-"));
  } catch (error) {
    throw new CommandError(
      `cannot write to ${cache} (${lastWords(error)}): set REGIONLAB_CACHE to a folder of yours`,
    );
  }
}

/** `apt-get` and `dpkg`, with instructions for hosts that do not have them. */
export class PackageTools {
  /** What to do manually on a host that is not Debian. */
  private readonly byHand: string;
  /** Passed to every apt command. */
  private readonly aptOptions: readonly string[];

  constructor(byHand: string, aptOptions: readonly string[] = []) {
    this.byHand = byHand;
    this.aptOptions = aptOptions;
  }

  /** Runs an apt command in `folder`; returns its output. */
  apt(folder: string, ...command: readonly string[]): string {
    return this.run(
      "apt-get",
      ["-q", "-o", "APT::Sandbox::User=root", ...this.aptOptions, ...command],
      folder,
    );
  }

  /** The versions of a source package that apt knows, as it lists them. */
  sourceVersions(folder: string, name: string): string[] {
    const shown = this.run("apt-cache", [...this.aptOptions, "showsrc", name], folder);
    return [...shown.matchAll(/^Version: (.+)$/gm)].map(([, version = ""]) => version);
  }

  /** Downloads packages into `folder`; apt checks the archive's signature and the packages' hashes. */
  download(folder: string, packages: readonly string[]): void {
    this.apt(folder, "download", ...packages);
  }

  /** Unpacks a package that was downloaded into `folder`; returns its list of MD5 sums. */
  unpack(folder: string, name: string, tree: string): string {
    const archive = readdirSync(folder).find((file) => file.startsWith(`${name}_`));
    if (archive === undefined)
      throw new CommandError(`apt-get download left no ${name}_*.deb: try it manually`);
    this.run("dpkg", ["-x", archive, tree], folder);
    return this.run("dpkg-deb", ["-I", archive, "md5sums"], folder);
  }

  /** Runs a program in `folder`; returns its output. Throws `CommandError` with its last error line. */
  run(program: string, options: readonly string[], folder: string): string {
    try {
      return execFileSync(program, options, {
        cwd: folder,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
        maxBuffer: 64 * 2 ** 20, // the list of sums of a kernel package is long
      });
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") {
        throw new CommandError(`${program} is not on this computer (not Debian?): ${this.byHand}`);
      }
      const command = options.filter((option, i) => option !== "-o" && options[i - 1] !== "-o").join(" ");
      throw new CommandError(
        `${program} ${command} failed (${lastWords(error)}): run \`apt-get update\` and try again`,
      );
    }
  }
}

/** Compares a file with its package's list of MD5 sums. Throws `CommandError` if they differ. */
export function verify(file: PackagedFile, path: string, sums: string): void {
  const expected = sums
    .split("\n")
    .map((line) => line.split(/\s+/, 2))
    .find(([, name]) => name === file.path)?.[0];
  if (expected === undefined) {
    throw new CommandError(
      `package ${file.package} has no ${file.path}: this release of Debian has it elsewhere; copy it there manually`,
    );
  }
  const actual = createHash("md5").update(readFileSync(path)).digest("hex");
  if (actual !== expected)
    throw new CommandError(`${path} is damaged (MD5 ${actual}, not ${expected}): fetch it again`);
}

/** The last line that a failed program wrote to standard error, else the error's own message. */
function lastWords(error: unknown): string {
  const words = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
  const lastLine = words.trim().split("\n").at(-1);
  return lastLine || (error instanceof Error ? error.message : String(error));
}
