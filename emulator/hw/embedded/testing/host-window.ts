/**
 * What a guest and its host share: memory of the host, which the guest may write, with a view of it that its processors may
 * only read; and registers of a device of the host, which the guest drives itself.
 */
import { MemoryRegion } from "#memory";
import { SysBusDevice, uintProperty } from "#qdev";
import { QomError } from "#qom";

const PAGE_BYTES = 0x1000;

export class HostWindow extends SysBusDevice {
  static override readonly typeName = "host-window";
  static override readonly properties = [uintProperty<HostWindow>("size", "uint32", "size")];

  /** Memory of the host. */
  private readonly shared = this.embed(MemoryRegion);
  /** The same, to be read. */
  private readonly view = this.embed(MemoryRegion);
  /** Registers of the host's device. */
  private readonly passed = this.embed(MemoryRegion);
  /** Bytes of shared memory; the host may set `memory` instead. */
  size = PAGE_BYTES;
  /** What the host provides, before the device is realized: memory, and a device's registers. */
  memory: Uint8Array | null = null;
  hostRegisters = new Uint8Array(PAGE_BYTES);

  protected override realize(): void {
    if (this.size === 0) throw new QomError("property size of a host-window is 0; give at least 1 byte");
    this.memory ??= new Uint8Array(this.size);
    this.shared.initRamPtr(this, "host-window.shared", this.memory);
    this.initMmio(this.shared);
    this.view.initAlias(this, "host-window.view", this.shared, 0, this.memory.length);
    this.view.setReadOnly(true);
    this.initMmio(this.view);
    this.passed.initRamDevicePtr(this, "host-window.registers", this.hostRegisters);
    this.initMmio(this.passed);
  }
}
