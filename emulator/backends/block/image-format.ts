/** Formats of disk images other than raw, by the bytes that they begin with, as QEMU recognises them. */

interface Signature {
  readonly format: string;
  readonly at: number;
  /** As latin-1 characters. */
  readonly bytes: string;
}

/** From the specifications of the formats, in QEMU's docs/interop and of their makers. */
const SIGNATURES: readonly Signature[] = [
  { format: "qcow", at: 0, bytes: "QFI\xfb\0\0\0\x01" },
  { format: "qcow2", at: 0, bytes: "QFI\xfb\0\0\0" },
  { format: "qed", at: 0, bytes: "QED\0" },
  { format: "vmdk", at: 0, bytes: "KDMV" },
  { format: "vmdk", at: 0, bytes: "COWD" },
  { format: "vmdk", at: 0, bytes: "# Disk DescriptorFile" },
  { format: "vhdx", at: 0, bytes: "vhdxfile" },
  { format: "vpc", at: 0, bytes: "conectix" },
  { format: "vdi", at: 64, bytes: "\x7f\x10\xda\xbe" },
  { format: "parallels", at: 0, bytes: "WithoutFreeSpace" },
  { format: "parallels", at: 0, bytes: "WithouFreSpacExt" },
  { format: "luks", at: 0, bytes: "LUKS\xba\xbe" },
  { format: "bochs", at: 0, bytes: "Bochs Virtual HD Image" },
  { format: "cloop", at: 0, bytes: "#!/bin/sh\n#V2.0 Format\nmodprobe cloop" },
];

/** Number of bytes that {@link imageFormat} looks at. */
export const FORMAT_BYTES = 128;

/** QEMU's name of the format that an image begins like; null: none but raw. */
export function imageFormat(head: Uint8Array): string | null {
  const text = Buffer.from(head).toString("latin1");
  return SIGNATURES.find(({ at, bytes }) => text.startsWith(bytes, at))?.format ?? null;
}
