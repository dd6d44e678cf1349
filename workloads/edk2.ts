import { join } from "node:path";
import { debianFolders } from "./debian.ts";
import { locateFile } from "./firmware.ts";
import type { PackagedFile } from "./packages.ts";

const PACKAGE = "qemu-efi-riscv64";

/** EDK2 for QEMU's `virt`: its code, for flash bank 0, and the template of its variables, for bank 1. */
export const EDK2_CODE: PackagedFile = {
  package: PACKAGE,
  path: "usr/share/qemu-efi-riscv64/RISCV_VIRT_CODE.fd",
};
export const EDK2_VARIABLES: PackagedFile = {
  package: PACKAGE,
  path: "usr/share/qemu-efi-riscv64/RISCV_VIRT_VARS.fd",
};

/** Both files as absolute paths, or why they are missing and how to get them. */
export type Edk2 =
  | { readonly found: true; readonly code: string; readonly variables: string }
  | { readonly found: false; readonly reason: string };

/** EDK2 as this computer has it: installed, or fetched with Debian 13's other packages. */
export function locateEdk2(root = "/", { unpacked } = debianFolders()): Edk2 {
  const [code, variables] = [EDK2_CODE, EDK2_VARIABLES].map((file) => locateFile(file, { root, unpacked }));
  if (code !== undefined && variables !== undefined) return { found: true, code, variables };
  return {
    found: false,
    reason: `/${EDK2_CODE.path} is missing, here and in ${join(unpacked, "usr")}: run \`npm run workloads:fetch\``,
  };
}
