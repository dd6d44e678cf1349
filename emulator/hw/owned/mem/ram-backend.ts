/** Main memory: an object of its own below /objects, like QEMU's memory backends. */
import { MemoryRegion } from "#memory";
import type { DeviceModel } from "#qdev";
import { QomObject } from "#qom";

export class RamBackend extends QomObject {
  static override readonly typeName = "memory-backend-ram";
  static override readonly instanceSize: number = 104;

  declare readonly model: DeviceModel;

  /** Allocates `bytes` of RAM and maps them into system memory. @throws QomError when not enough are available. */
  map(name: string, address: number, bytes: number): void {
    /** The memory. */
    const ram = MemoryRegion.newRamNomigrate(this, name, bytes);
    ram.registerRamGlobally(); // it is no device's
    this.model.systemMemory.addSubregion(address, ram);
  }
}
