import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DEBIAN_INITRD, DEBIAN_KERNEL, DISK_MODULES, MODULES } from "../debian.ts";
import { EDK2_CODE, EDK2_VARIABLES } from "../edk2.ts";

export const RELEASE = "6.12.1+deb13-riscv64";

/** Stand-ins for the installer's files in tests where only their locations matter, by path in the packages. */
export function debianContents(): ReadonlyMap<string, string> {
  return new Map([
    [DEBIAN_KERNEL.path, `MZ\0\0Linux version ${RELEASE} (somebody)\n`],
    [DEBIAN_INITRD.path, "initrd"],
    [EDK2_CODE.path, "code"],
    [EDK2_VARIABLES.path, "variables"],
    ...DISK_MODULES.map((path) => [`${MODULES}/${RELEASE}/${path}`, path] as const),
  ]);
}

/** Places the stand-ins below `folder`; returns the paths of the kernel and the initrd. */
export function placeDebian(folder: string): { kernel: string; initrd: string } {
  for (const [path, content] of debianContents()) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return { kernel: join(folder, DEBIAN_KERNEL.path), initrd: join(folder, DEBIAN_INITRD.path) };
}
