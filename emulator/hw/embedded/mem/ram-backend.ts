/** Main memory: an object of its own below /objects, like QEMU's memory backends. */
import { MemoryRegion } from "#memory";
import type { DeviceModel } from "#qdev";
import { QomObject } from "#qom";

export class RamBackend extends QomObject {
  static override readonly typeName = "memory-backend-ram";
  static override readonly instanceSize: number = 104;

  declare readonly model: DeviceModel;

  /** The memory. */
  private readonly ram = this.embed(MemoryRegion);

  /** Allocates `bytes` of RAM and maps them into system memory. @throws QomError when not enough are available. */
  map(name: string, address: number, bytes: number): void {
    this.ram.initRamNomigrate(this, name, bytes);
    this.ram.registerRamGlobally(); // it is no device's
    this.model.systemMemory.addSubregion(address, this.ram);
  }
}
