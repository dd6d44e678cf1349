/**
 * Gets the firmware that regionlab boots, OpenSBI and U-Boot, from Debian's packages without installing them:
 *
 *     npm run workloads:fetch               nothing to do where the packages are installed
 *     npm run workloads:fetch -- --download get them into the cache even so
 *
 * `apt-get download` checks the archive's signature and the packages' hashes; the files are checked once more against the
 * list in each package before they take their place, and nothing half unpacked is ever left there.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type FirmwareFile,
  type FirmwareFolders,
  firmwareFolders,
  locateFile,
  OPENSBI,
  U_BOOT,
} from "./firmware.ts";

/** Why firmware could not be fetched, and what to do. */
export class FetchError extends Error {
  override readonly name = "FetchError";
}

const FILES: readonly FirmwareFile[] = [OPENSBI, U_BOOT];

/**
 * Downloads the packages and unpacks them to `folders.unpacked`, replacing what is there.
 * Throws `FetchError`, and then leaves what was there untouched.
 */
export function fetchFirmware(folders: FirmwareFolders): void {
  const cache = dirname(folders.unpacked);
  const scratch = makeScratch(cache);
  try {
    const tree = join(scratch, "tree");
    mkdirSync(tree);
    run(
      "apt-get",
      ["-q", "-o", "APT::Sandbox::User=root", "download", ...FILES.map((file) => file.package)],
      scratch,
    );
    for (const file of FILES) {
      const archive = readdirSync(scratch).find((name) => name.startsWith(`${file.package}_`));
      if (archive === undefined)
        throw new FetchError(`apt-get download left no ${file.package}_*.deb: try it by hand`);
      run("dpkg", ["-x", archive, tree], scratch);
      verify(file, join(tree, file.path), run("dpkg-deb", ["-I", archive, "md5sums"], scratch));
    }
    rmSync(folders.unpacked, { recursive: true, force: true });
    renameSync(tree, folders.unpacked);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function makeScratch(cache: string): string {
  try {
    mkdirSync(cache, { recursive: true });
    return mkdtempSync(join(cache, "fetch-"));
  } catch (error) {
    throw new FetchError(
      `cannot write to ${cache} (${message(error)}): set REGIONLAB_CACHE to a folder of yours`,
    );
  }
}

/** Compares a file with the list of MD5 sums that its package carries. Throws `FetchError` where they differ. */
export function verify(file: FirmwareFile, path: string, sums: string): void {
  const expected = sums
    .split("\n")
    .map((line) => line.split(/\s+/, 2))
    .find(([, name]) => name === file.path)?.[0];
  if (expected === undefined) {
    throw new FetchError(
      `package ${file.package} has no ${file.path}: this release of Debian has it elsewhere; put the file there by hand`,
    );
  }
  const actual = createHash("md5").update(readFileSync(path)).digest("hex");
  if (actual !== expected)
    throw new FetchError(`${path} is damaged (MD5 ${actual}, not ${expected}): fetch it again`);
}

/** Runs a program in `folder`; answers what it printed. Throws `FetchError` with its last words. */
function run(program: string, options: readonly string[], folder: string): string {
  try {
    return execFileSync(program, options, {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new FetchError(
        `${program} is not on this computer (not Debian?): build OpenSBI's generic platform and U-Boot's ` +
          `qemu-riscv64_smode_defconfig, and place them as ${FILES.map((file) => `/${file.path}`).join(" and ")}`,
      );
    }
    throw new FetchError(
      `${program} ${options.join(" ")} failed (${message(error)}): run \`apt-get update\` and try again`,
    );
  }
}

/** The last line that a failed program wrote to standard error, else the error's own. */
function message(error: unknown): string {
  const words = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
  const lastLine = words.trim().split("\n").at(-1);
  return lastLine || (error instanceof Error ? error.message : String(error));
}

/** The command. Answers its exit code: 0 the firmware is there, 1 it could not be fetched, 2 wrong use. */
export function main(options: readonly string[], folders: FirmwareFolders = firmwareFolders()): number {
  const unknown = options.find((option) => option !== "--download");
  if (unknown !== undefined) {
    console.error(`workloads:fetch: unknown option ${unknown}: the only one is --download`);
    return 2;
  }
  try {
    const missing = FILES.some((file) => locateFile(file, folders) === undefined);
    if (missing || options.length > 0) fetchFirmware(folders);
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    console.error(`workloads:fetch: ${error.message}`);
    return 1;
  }
  for (const file of FILES) console.log(`${file.package.padEnd(12)} ${locateFile(file, folders)}`);
  if (options.length > 0) console.log(`fetched to ${folders.unpacked}`);
  return 0;
}

const invoked = process.argv[1];
if (invoked !== undefined && realpathSync(invoked) === realpathSync(fileURLToPath(import.meta.url))) {
  process.exitCode = main(process.argv.slice(2));
}
