/** Debian 13's installer for riscv64: the unmodified kernel and user land of a whole distribution. */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import type { PackagedFile } from "./packages.ts";

const INSTALLER = "debian-installer-13-netboot-riscv64";
const IMAGES = "usr/lib/debian-installer/images/13/riscv64/text/debian-installer/riscv64";

/** The kernel, uncompressed, given to `--kernel`. */
export const DEBIAN_KERNEL: PackagedFile = { package: INSTALLER, path: `${IMAGES}/linux` };

/** The installer's root file system, given to `--initrd`. */
export const DEBIAN_INITRD: PackagedFile = { package: INSTALLER, path: `${IMAGES}/initrd.gz` };

/** Where packages put the kernel's modules, in a folder named after the kernel's release. */
export const MODULES = "usr/lib/modules";

/**
 * Modules that the installer's kernel needs to mount an ext4 file system on a virtio disk, in load order.
 * The installer would fetch most of them from the network.
 */
export const DISK_MODULES: readonly string[] = [
  "kernel/drivers/virtio/virtio_mmio.ko.xz",
  "kernel/drivers/block/virtio_blk.ko.xz",
  "kernel/lib/crc16.ko.xz",
  "kernel/crypto/crc32c_generic.ko.xz",
  "kernel/fs/mbcache.ko.xz",
  "kernel/fs/jbd2/jbd2.ko.xz",
  "kernel/fs/ext4/ext4.ko.xz",
];

/** Kernel command line that puts the installer on the first serial port, in plain lines of text. */
export const DEBIAN_APPEND = "console=ttyS0 DEBIAN_FRONTEND=text";

/** Memory of a machine that runs the installer. */
export const DEBIAN_RAM_BYTES = 2 ** 30;

/** Console text that marks the installer's first prompt. */
export const DEBIAN_PROMPT = "Choose the language";

/** The installer's files as absolute paths, or why there are none and what to do about it. */
export type Debian =
  | {
      readonly found: true;
      /** Release of the kernel and its modules, as `uname -r` prints it. */
      readonly release: string;
      readonly kernel: string;
      readonly initrd: string;
      /** {@link DISK_MODULES}, in that order. */
      readonly modules: readonly string[];
    }
  | { readonly found: false; readonly reason: string };

/** Where to look for the installer. */
export interface DebianFolders {
  /** Folder that packages are unpacked to, as if it were the root of a file system. */
  readonly unpacked: string;
}

/** Folder of the fetched Debian 13 packages, independent of the host's own release. */
export function debianFolders(environment: NodeJS.ProcessEnv = process.env): DebianFolders {
  return { unpacked: join(cacheFolder(environment), "debian-13") };
}

/** Finds the installer on this host. */
export function locateDebian(folders: DebianFolders = debianFolders()): Debian {
  const [kernel, initrd] = [DEBIAN_KERNEL, DEBIAN_INITRD].map((file) => join(folders.unpacked, file.path));
  const modulesFolder = join(folders.unpacked, MODULES);
  const release = existsSync(modulesFolder) ? readdirSync(modulesFolder).at(0) : undefined;
  const modules = DISK_MODULES.map((path) => join(modulesFolder, release ?? "", path));
  if (
    kernel &&
    initrd &&
    release !== undefined &&
    [kernel, initrd, ...modules].every((path) => existsSync(path))
  ) {
    return { found: true, release, kernel, initrd, modules };
  }
  const names = [DEBIAN_KERNEL, DEBIAN_INITRD].map((file) => basename(file.path)).join(", ");
  return {
    found: false,
    reason: `Debian 13's installer (${names}, modules) is not in ${folders.unpacked}: run \`npm run workloads:fetch\``,
  };
}
