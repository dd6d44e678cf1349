/** Debian's kernel with a root file system on a disk: the initial file system, and the disk. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Debian } from "../debian.ts";
import { type CpioEntry, FOLDER_MODE, readCpio, SCRIPT_MODE, writeCpio } from "./cpio.ts";

type DebianFiles = Extract<Debian, { found: true }>;

const DISK_MIB = 24;
/** First program of the initial file system; given to the kernel as `rdinit=`. */
export const DISK_INIT = "/disk-init";
/** Prompt of the shell that runs as the disk's first program. */
export const DISK_PROMPT = "disk# ";

/** Loads the modules, mounts the disk, and switches to it. */
const INITIAL_SCRIPT = `#!/bin/sh
mount -t proc proc /proc
mount -t devtmpfs dev /dev
for module in /disk-modules/*; do insmod $module; done
until [ -b /dev/vda ]; do sleep 1; done
mkdir /disk
mount -t ext4 /dev/vda /disk
mount -o move /dev /disk/dev
umount /proc
exec switch_root /disk /sbin/init
`;

const DISK_SCRIPT = `#!/bin/sh
mount -t proc proc /proc
grep ' / ext4 ' /proc/mounts
export PS1='${DISK_PROMPT}'
exec sh -i
`;

/** Files that the disk takes from the installer: a shell and its libraries. */
const SHELL_FILES: readonly RegExp[] = [
  /^usr\/bin\/busybox$/,
  /^usr\/lib\/ld-linux-riscv64-lp64d\.so\.1$/,
  /^usr\/lib\/riscv64-linux-gnu\/(ld-linux-riscv64-lp64d\.so\.1|libc\.so\.6|libresolv\.so\.2)$/,
];
const SHELL_COMMANDS: readonly string[] = ["cat", "grep", "mount", "poweroff", "sh", "sync"];

/**
 * Writes the installer's initial file system followed by a second archive: the kernel unpacks both, one over the other.
 */
export function writeInitialFiles(debian: DebianFiles, path: string): void {
  const script = (name: string, text: string): CpioEntry => ({
    name,
    mode: SCRIPT_MODE,
    content: new TextEncoder().encode(text),
  });
  const modules = debian.modules.map((module, i) => ({
    name: `disk-modules/${i}-${basename(module)}`, // the order in which a shell lists them
    mode: SCRIPT_MODE,
    content: readFileSync(module),
  }));
  const archive = writeCpio([
    { name: "disk-modules", mode: FOLDER_MODE, content: new Uint8Array() },
    ...modules,
    script(basename(DISK_INIT), INITIAL_SCRIPT),
  ]);
  writeFileSync(path, Buffer.concat([readFileSync(debian.initrd), gzipSync(archive)]));
}

/** Creates an ext4 image with a shell on it. Requires `mke2fs` from Debian's package e2fsprogs. */
export function makeRootDisk(debian: DebianFiles, scratch: string, image: string): void {
  const root = join(scratch, "root");
  for (const folder of ["dev", "proc", "usr/bin", "usr/sbin", "usr/lib"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  for (const folder of ["bin", "sbin", "lib"]) symlinkSync(`usr/${folder}`, join(root, folder));
  for (const { name, mode, content } of readCpio(gunzipSync(readFileSync(debian.initrd)))) {
    if (!SHELL_FILES.some((pattern) => pattern.test(name))) continue;
    mkdirSync(dirname(join(root, name)), { recursive: true });
    const isLink = (mode & 0o170_000) === 0o120_000;
    if (isLink) symlinkSync(new TextDecoder().decode(content), join(root, name));
    else writeFileSync(join(root, name), content, { mode: mode & 0o777 });
  }
  for (const command of SHELL_COMMANDS) symlinkSync("busybox", join(root, "usr/bin", command));
  writeFileSync(join(root, "usr/sbin/init"), DISK_SCRIPT, { mode: 0o755 });
  execFileSync("mke2fs", ["-q", "-t", "ext4", "-d", root, image, `${DISK_MIB}M`]);
}
