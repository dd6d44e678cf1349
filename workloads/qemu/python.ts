/** A Python with the Meson that QEMU's configure asks for, which is newer than the one of older Debian releases. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "#host";
import { PackageTools, replaceFolder } from "../packages.ts";
import { privateApt } from "../private-apt.ts";

/** The release whose Meson is new enough (QEMU 10.2 wants 1.5), and which has what QEMU's functional tests import. */
const SUITE = "trixie";
const PACKAGES: readonly string[] = ["meson", "python3-pycotap"];
const BY_HAND = "install Meson 1.5 or newer and pycotap with pip";

/**
 * A virtual environment in `folder` that holds Debian's packages of pure Python, made if there is none.
 * Returns its interpreter.
 * @throws CommandError
 */
export function pythonWithMeson(folder: string): string {
  const python = join(folder, "bin", "python3");
  const stamp = join(folder, "complete");
  if (existsSync(stamp)) return python;
  replaceFolder(`${folder}.packages`, (tree, scratch) => {
    const tools = privateApt(scratch, {
      suite: SUITE,
      architecture: new PackageTools(BY_HAND).run("dpkg", ["--print-architecture"], scratch).trim(),
      byHand: BY_HAND,
    });
    tools.download(scratch, PACKAGES);
    for (const name of PACKAGES) tools.unpack(scratch, name, tree);
  });
  try {
    execFileSync("python3", ["-m", "venv", "--clear", "--system-site-packages", "--without-pip", folder], {
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    throw new CommandError(
      `python3 -m venv failed (${error instanceof Error ? error.message : error}): install python3-venv`,
    );
  }
  const library = execFileSync(python, ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], {
    encoding: "utf8",
  }).trim();
  mkdirSync(library, { recursive: true });
  cpSync(join(`${folder}.packages`, "usr/lib/python3/dist-packages"), library, { recursive: true });
  writeFileSync(stamp, "");
  return python;
}
