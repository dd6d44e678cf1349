/** Main memory: an object of its own below /objects, as QEMU's memory backends are. */
import { MemoryRegion } from "#memory";
import type { DeviceModel } from "#qdev";
import { QomObject } from "#qom";

export class RamBackend extends QomObject {
  static override readonly typeName = "memory-backend-ram";
  static override readonly instanceSize: number = 104;

  declare readonly model: DeviceModel;

  /** Allocates `bytes` of RAM and maps them into the system's memory. @throws QomError when there are not enough. */
  map(name: string, address: number, bytes: number): void {
    /** The memory. */
    const ram = MemoryRegion.newRam(this, name, bytes);
    this.model.systemMemory.addSubregion(address, ram);
  }
}
