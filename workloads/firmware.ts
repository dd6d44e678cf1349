import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import type { PackagedFile } from "./packages.ts";

/** OpenSBI's dynamic firmware (fw_dynamic): the M-mode half, given to `--bios`. */
export const OPENSBI: PackagedFile = {
  package: "opensbi",
  path: "usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin",
};

/** U-Boot built for S-mode: the payload that OpenSBI starts, given to `--kernel`. */
export const U_BOOT: PackagedFile = {
  package: "u-boot-qemu",
  path: "usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin",
};

/** Both halves of a firmware boot as absolute paths, or why there are none and what to do about it. */
export type Firmware =
  | { readonly found: true; readonly bios: string; readonly kernel: string }
  | { readonly found: false; readonly reason: string };

/** Folders to search for firmware, in this order. */
export interface FirmwareFolders {
  /** Root of the file system with the installed packages: `/`, except in tests. */
  readonly root: string;
  /** Where packages are unpacked without installing them. */
  readonly unpacked: string;
}

/** The installed packages, then the fetched ones. */
export function firmwareFolders(environment: NodeJS.ProcessEnv = process.env): FirmwareFolders {
  return { root: "/", unpacked: join(cacheFolder(environment), "debian") };
}

/** Absolute path of a firmware file, installed or unpacked; undefined if it is neither. */
export function locateFile(file: PackagedFile, folders: FirmwareFolders): string | undefined {
  return [join(folders.root, file.path), join(folders.unpacked, file.path)].find((path) => existsSync(path));
}

/** Finds OpenSBI and U-Boot on this host. */
export function locateFirmware(folders: FirmwareFolders = firmwareFolders()): Firmware {
  const bios = locateFile(OPENSBI, folders);
  const kernel = locateFile(U_BOOT, folders);
  if (bios !== undefined && kernel !== undefined) return { found: true, bios, kernel };
  const missing = [bios === undefined ? OPENSBI : [], kernel === undefined ? U_BOOT : []].flat();
  return {
    found: false,
    reason:
      `${missing.map((file) => `/${file.path}`).join(" and ")} missing, ` +
      `here and in ${folders.unpacked}: run \`npm run workloads:fetch\``,
  };
}
