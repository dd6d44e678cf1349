/** Memory with the bytes of a file of the host, as QEMU's `memory-backend-file` behind an NVDIMM. */
import { MemoryRegion } from "#memory";
import { boolProperty, SysBusDevice, stringProperty, uintProperty } from "#qdev";
import { QomError } from "#qom";

export class FileMemory extends SysBusDevice {
  static override readonly typeName = "file-memory";
  static override readonly properties = [
    stringProperty<FileMemory>("mem-path", "memPath"),
    uintProperty<FileMemory>("size", "uint32", "size"),
    boolProperty<FileMemory>("share", "share"),
    boolProperty<FileMemory>("readonly", "readOnly"),
  ];

  memPath = "";
  /** Bytes. */
  size = 0;
  /** Whether what the guest writes goes to the file. */
  share = false;
  /** Whether the guest can only read. */
  readOnly = false;

  protected override realize(): void {
    if (this.memPath === "") throw new QomError("a file-memory needs a file; give its property mem-path");
    if (this.size === 0) throw new QomError("property size of a file-memory is 0; give at least 1 byte");
    const options = { share: this.share, readOnly: this.readOnly };
    const memory = MemoryRegion.newRamFromFile(this, "file-memory", this.size, this.memPath, options);
    this.initMmio(memory);
  }
}
