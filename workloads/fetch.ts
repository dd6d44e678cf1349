/**
 * Extracts guests from Debian's packages without installing them: the firmware (OpenSBI and U-Boot) and Debian 13's
 * installer for riscv64.
 *
 *     npm run workloads:fetch               fetches missing files only
 *     npm run workloads:fetch -- --download fetches everything again
 *     npm run workloads:fetch -- --qemu     also fetches QEMU's source, which only the C codemods need
 *     npm run workloads:fetch -- --only-qemu  fetches that alone
 *
 * apt checks the archive's signature and the packages' hashes. The files are checked again against the list in each
 * package before they are moved into place, so that no partially unpacked files are ever left there.
 */
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError } from "#host";
import { type DebianFolders, debianFolders, locateDebian } from "./debian.ts";
import { fetchDebian } from "./debian-fetch.ts";
import { locateEdk2 } from "./edk2.ts";
import { type FirmwareFolders, firmwareFolders, locateFile, OPENSBI, U_BOOT } from "./firmware.ts";
import { type PackagedFile, PackageTools, replaceFolder, verify } from "./packages.ts";
import { fetchQemuSource, qemuSourceFolder, qemuVersion } from "./qemu-source.ts";

const FIRMWARE: readonly PackagedFile[] = [OPENSBI, U_BOOT];

/**
 * Downloads the firmware's packages and unpacks them to `folders.unpacked`, replacing its content.
 * Throws `CommandError`, in which case `folders.unpacked` is left untouched.
 */
export function fetchFirmware(folders: FirmwareFolders): void {
  const tools = new PackageTools(
    "build OpenSBI's generic platform and U-Boot's qemu-riscv64_smode_defconfig, " +
      `and place them as ${FIRMWARE.map((file) => `/${file.path}`).join(" and ")}`,
  );
  replaceFolder(folders.unpacked, (tree, scratch) => {
    tools.download(
      scratch,
      FIRMWARE.map((file) => file.package),
    );
    for (const file of FIRMWARE) {
      verify(file, join(tree, file.path), tools.unpack(scratch, file.package, tree));
    }
  });
}

/** Everything that can be fetched: whether it is present, how to fetch it, and the lines to print. */
function targets(firmware: FirmwareFolders, debian: DebianFolders) {
  return [
    {
      present: () => FIRMWARE.every((file) => locateFile(file, firmware) !== undefined),
      fetch: () => fetchFirmware(firmware),
      lines: () => FIRMWARE.map((file) => [file.package, `${locateFile(file, firmware)}`] as const),
      folder: firmware.unpacked,
    },
    {
      present: () => locateDebian(debian).found && locateEdk2(firmware.root, debian).found,
      fetch: () => fetchDebian(debian),
      lines: () => {
        const found = locateDebian(debian);
        const edk2 = locateEdk2(firmware.root, debian);
        return [
          ...(found.found ? [["debian", `Linux ${found.release}, ${found.kernel}`] as const] : []),
          ...(edk2.found ? [["edk2", edk2.code] as const] : []),
        ];
      },
      folder: debian.unpacked,
    },
  ];
}

const OPTIONS: readonly string[] = ["--download", "--qemu", "--only-qemu"];

function qemuTarget(folder: string) {
  return {
    present: () => qemuVersion(folder) !== undefined,
    fetch: () => fetchQemuSource(folder),
    lines: () => [["qemu", `QEMU ${qemuVersion(folder)}, ${folder}`] as const],
    folder,
  };
}

/** The command. Returns its exit code: 0 everything is present, 1 a fetch failed, 2 usage error. */
export function main(
  options: readonly string[],
  firmware: FirmwareFolders = firmwareFolders(),
  debian: DebianFolders = debianFolders(),
): number {
  const unknown = options.find((option) => !OPTIONS.includes(option));
  if (unknown !== undefined) {
    console.error(`workloads:fetch: unknown option ${unknown}: give ${OPTIONS.join(", ")}, or none`);
    return 2;
  }
  let exitCode = 0;
  const isOnlyQemu = options.includes("--only-qemu");
  for (const target of [
    ...(isOnlyQemu ? [] : targets(firmware, debian)),
    ...(isOnlyQemu || options.includes("--qemu") ? [qemuTarget(qemuSourceFolder())] : []),
  ]) {
    const wanted = options.includes("--download") || !target.present();
    try {
      if (wanted) target.fetch();
      for (const [name, what] of target.lines()) console.log(`${name.padEnd(12)} ${what}`);
      if (wanted) console.log(`fetched to ${target.folder}`);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      console.error(`workloads:fetch: ${error.message}`);
      exitCode = 1;
    }
  }
  return exitCode;
}

const invoked = process.argv[1];
if (invoked !== undefined && realpathSync(invoked) === realpathSync(fileURLToPath(import.meta.url))) {
  process.exitCode = main(process.argv.slice(2));
}
