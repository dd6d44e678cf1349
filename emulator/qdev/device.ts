import { DmaView, MemoryRegion, MemReentrancyGuard } from "#memory";
import { QomAbort, QomObject } from "#qom";
import { Bus } from "./bus.ts";
import type { Clock } from "./clock.ts";
import type { DeviceModel, GuestErrorKind } from "./device-model.ts";
import type { HotplugHandler } from "./hotplug.ts";
import { Irq, type IrqHandler, type IrqInput, type IrqLine } from "./irq.ts";
import type { VmState } from "./vmstate.ts";

/**
 * Base of all devices. A device is created, configured, realized (which makes it visible to the guest), and in the end
 * unrealized and unparented; its storage is freed when the last reference is dropped.
 */
export abstract class Device extends QomObject {
  static override readonly typeName: string = "device";
  static override readonly instanceSize: number = 160;
  /** State for snapshots; null if the device, and so a machine that has it, cannot be saved. */
  static readonly vmState: VmState | null = null;

  declare readonly model: DeviceModel;

  /** Type of the buses that the device can sit on; null if none. */
  readonly busType: string | null = null;
  /** Engaged while the device handles an access; shared by all its regions. */
  readonly memReentrancyGuard = new MemReentrancyGuard();
  realized = false;
  /** Whether devices of the class can be unplugged at all. */
  static readonly hotpluggable: boolean = true;

  /** Whether it was added after the machine was complete. */
  hotplugged = false;
  /** Whether the guest has been asked to release the device. */
  unplugPending = false;
  /** The bus that the device sits on, which holds a reference to it. */
  parentBus: Bus | null = null;
  /** Whether the end of the object must be announced; set by `unplug`. */
  private pendingDeletedEvent = false;
  private path = "";
  private readonly inputs: Irq[] = [];
  private readonly gpioOut: IrqLine[] = [];

  /** Creates what the guest sees: regions, lines, timers. May run again after `unrealize`. Overriding replaces it. */
  protected realize(): void {}
  /** Undoes `realize`, except for regions, which remain children until the device ends. */
  protected unrealize(): void {}
  /** Sets registers to their power-on state. */
  reset(): void {}

  /** The state that the class declares. */
  get vmState(): VmState | null {
    return (this.constructor as typeof Device).vmState; // the constructor of every device is such a class
  }

  /** Guest memory as the device reaches it from where it sits. */
  protected dmaView(): DmaView {
    return new DmaView(this.parentBus?.dmaSpace ?? this.model.systemSpace);
  }

  /** Guest time. */
  protected get clock(): Clock {
    return this.model.clock;
  }

  /**
   * Realizes the device on `bus`. A device without a parent becomes /machine/unattached/device[n]. If realizing fails,
   * the device stays unrealized, and is unparented again if it had no parent.
   */
  plug(bus: Bus | null = null): void {
    if (this.realized) throw new QomAbort(`${this.describe()} is already realized`);
    const homeless = this.parent === null;
    if (homeless) {
      this.model.unattached.addChild("device[*]", this);
      this.unref(); // the tree holds it from now on
    }
    try {
      if (bus !== null && this.parentBus === null) bus.add(this);
      this.realizeWithBuses();
    } catch (failure) {
      if (homeless) this.unparent();
      throw failure;
    }
    this.pendingDeletedEvent = false;
    this.realized = true;
  }

  /** Whether device and bus permit to unplug it. */
  get hotpluggable(): boolean {
    const { hotpluggable } = this.constructor as typeof Device; // the constructor of every device is such a class
    return hotpluggable && this.parentBus?.hotplugHandler !== null;
  }

  /** Who decides about plugging and unplugging: the machine if it has a say, otherwise the bus. */
  get hotplugHandler(): HotplugHandler | null {
    return this.model.machineHotplugHandler?.(this) ?? this.parentBus?.hotplugHandler ?? null;
  }

  private realizeWithBuses(): void {
    const handler = this.hotplugHandler;
    handler?.prePlug?.(this);
    this.realize();
    try {
      for (const listener of this.model.deviceListeners) listener.realize?.(this);
      this.path = this.canonicalPath() ?? "";
      for (const bus of this.childBuses()) bus.plugAll();
      if (this.hotplugged) this.reset();
      handler?.plug?.(this);
    } catch (failure) {
      for (const bus of this.childBuses()) bus.unplugAll();
      this.unrealize();
      throw failure;
    }
  }

  /** Unrealizes the device. Mapped regions stay mapped: whoever mapped them must unmap them. */
  unplug(): void {
    if (!this.realized) return;
    this.realized = false;
    for (const bus of this.childBuses()) bus.unplugAll();
    this.unrealize();
    if (this.model.references.unparentsAtUnrealize) {
      for (const region of this.ownRegions()) region.leaveOwner();
    }
    this.pendingDeletedEvent = true;
    this.unplugPending = false;
    for (const listener of this.model.deviceListeners.toReversed()) listener.unrealize?.(this);
  }

  /** Removes the device from a running machine: unplugs and unparents it. Other references may keep it alive. */
  remove(): void {
    this.unplug();
    this.unparent();
  }

  protected override onUnparent(): void {
    this.unplug();
    for (const bus of this.childBuses()) bus.unparent();
    this.parentBus?.remove(this);
  }

  protected override instanceFinalize(): void {
    if (this.pendingDeletedEvent) this.model.onDeviceDeleted?.(this.path);
  }

  /** Adds `count` interrupt inputs; `handler` is called with the input's number and level. */
  protected initGpioIn(count: number, handler: IrqHandler): void {
    const first = this.inputs.length;
    for (let index = first; index < first + count; index++) {
      const input = this.model.create(Irq).handleWith(handler, index);
      this.addChild("unnamed-gpio-in[*]", input);
      input.unref(); // the tree holds it from now on
      this.inputs.push(input);
    }
  }

  /** Declares the next output that is not an interrupt of a sysbus device. */
  protected initGpioOut(line: IrqLine): void {
    this.gpioOut.push(line);
  }

  /** @throws QomAbort when there is no such output. */
  connectGpioOut(index: number, input: IrqInput | null): void {
    const line = this.gpioOut[index];
    if (line === undefined) throw new QomAbort(`${this.describe()} has no output ${index}`);
    line.connect(input);
  }

  /** @throws QomAbort when there is no such input. */
  gpioIn(index: number): IrqInput {
    const input = this.inputs[index];
    if (input === undefined) throw new QomAbort(`${this.describe()} has no interrupt input ${index}`);
    return input;
  }

  get gpioInputs(): number {
    return this.inputs.length;
  }

  get gpioOutputs(): number {
    return this.gpioOut.length;
  }

  /** Handles a read of a register that does not exist: returns 0, and reports it for debugging the guest. */
  protected unimplementedRead(offset: number): number {
    this.guestError(`read of unimplemented register 0x${offset.toString(16)}`, "unimp");
    return 0;
  }

  protected unimplementedWrite(offset: number, value: number): void {
    this.guestError(
      `write of 0x${value.toString(16)} to unimplemented register 0x${offset.toString(16)}`,
      "unimp",
    );
  }

  /** Reports invalid behaviour of the guest, which is never an error of the machine. */
  protected guestError(message: string, kind: GuestErrorKind = "guest_errors"): void {
    this.model.onGuestError?.(this, message, kind);
  }

  private ownRegions(): MemoryRegion[] {
    return [...this.children()].map(([, child]) => child).filter((child) => child instanceof MemoryRegion);
  }

  private childBuses(): Bus[] {
    return [...this.children()].map(([, child]) => child).filter((child) => child instanceof Bus);
  }
}
