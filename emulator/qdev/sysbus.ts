import type { MemoryRegion } from "#memory";
import { QomAbort } from "#qom";
import { Bus } from "./bus.ts";
import { Device } from "./device.ts";
import type { IrqInput, IrqLine } from "./irq.ts";

/** The board's main bus, with devices at fixed addresses. */
export class SystemBus extends Bus {
  static override readonly typeName = "System";

  override get name(): string {
    return "main-system-bus";
  }
}

/** Address of a window that is not mapped, as listings show it. */
const UNMAPPED = 2 ** 64;

/** A device with numbered register windows and interrupt outputs, which the board maps and connects. */
export abstract class SysBusDevice extends Device {
  static override readonly typeName: string = "sys-bus-device";
  static override readonly instanceSize: number = 808;

  override readonly busType: string | null = SystemBus.typeName;

  private readonly mmio: { readonly region: MemoryRegion; address: number }[] = [];
  private readonly outputs: IrqLine[] = [];

  /** Declares the next register window; windows are numbered in call order, which boards rely on. */
  protected initMmio(region: MemoryRegion): void {
    this.mmio.push({ region, address: UNMAPPED });
  }

  /** Declares the next interrupt output. */
  protected initIrq(line: IrqLine): void {
    this.outputs.push(line);
  }

  /** Realizes the device on the main system bus. */
  plugIntoSystemBus(): void {
    this.plug(this.model.systemBus);
  }

  /** @throws QomAbort when there is no such window. */
  mmioRegion(index: number): MemoryRegion {
    return this.mmioWindow(index).region;
  }

  /** Maps a window into system memory, or moves it; does nothing if it is already mapped there. */
  mapMmio(index: number, address: number, priority = 0): void {
    const window = this.mmioWindow(index);
    if (window.address === address) return;
    this.unmapMmio(index);
    this.model.systemMemory.addSubregion(address, window.region, priority);
    window.address = address;
  }

  /** Removes a window from system memory; does nothing if it is not mapped. */
  unmapMmio(index: number): void {
    const window = this.mmioWindow(index);
    if (window.address === UNMAPPED) return;
    window.address = UNMAPPED;
    this.model.systemMemory.delSubregion(window.region);
  }

  /** Unmaps every window. */
  unmapAll(): void {
    for (let index = 0; index < this.mmio.length; index++) this.unmapMmio(index);
  }

  /** The windows in order, with their addresses (2^64 if not mapped). */
  get mmioWindows(): readonly { readonly region: MemoryRegion; readonly address: number }[] {
    return this.mmio;
  }

  connectIrq(index: number, input: IrqInput | null): void {
    const line = this.outputs[index];
    if (line === undefined) throw new QomAbort(`${this.describe()} has no interrupt output ${index}`);
    line.connect(input);
  }

  get irqOutputs(): number {
    return this.outputs.length;
  }

  private mmioWindow(index: number): { readonly region: MemoryRegion; address: number } {
    const window = this.mmio[index];
    if (window === undefined) throw new QomAbort(`${this.describe()} has no register window ${index}`);
    return window;
  }
}
