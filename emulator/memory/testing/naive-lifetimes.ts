/**
 * A naive model of lifetimes, for tests: what each step of a schedule touches after its end. It knows the rules of
 * QEMU 10.2.2 (object_finalize, memory_region_finalize, flatview_destroy), and nothing of the emulator.
 */

/** A rule was violated where QEMU aborts. */
export class NaiveAbort extends Error {}

export interface NaiveRegion {
  readonly id: string;
  readonly device: NaiveDevice;
  readonly embedded: boolean;
  state: "live" | "finalized" | "freed";
  references: number;
  hasParent: boolean;
  inRoot: boolean;
}

export interface NaiveDevice {
  readonly id: string;
  references: number;
  freed: boolean;
  /** Child properties; storage that was initialised twice is there twice. */
  readonly properties: NaiveRegion[];
  window: NaiveRegion;
}

export interface NaiveView {
  readonly id: string;
  readonly shown: readonly NaiveRegion[];
  freed: boolean;
}

const EMPTY: NaiveView = { id: "empty view", shown: [], freed: false };

export class NaiveMachine {
  /** `kind id` of each touch since it was last asked for. */
  private touches = new Set<string>();
  readonly mapped: NaiveRegion[] = [];
  readonly aliased: NaiveRegion[] = [];
  view: NaiveView = EMPTY;
  private readonly ending: { readonly view: NaiveView; readonly after: number }[] = [];
  private readonly readers: number[] = [];
  private entered = 0;
  private numbers = 0;

  take(): string[] {
    const touches = [...this.touches].sort();
    this.touches = new Set();
    return touches;
  }

  plug(embedded: boolean): NaiveDevice {
    const device = {
      id: `device ${++this.numbers}`,
      references: 1,
      freed: false,
      properties: [],
    } as unknown as NaiveDevice;
    this.makeWindow(device, embedded);
    return device;
  }

  /** Initialises the window, in the same storage if it is embedded. */
  makeWindow(device: NaiveDevice, embedded: boolean): void {
    const present = device.window as NaiveRegion | undefined;
    if (present === undefined || !embedded)
      device.window = {
        id: `region ${++this.numbers}`,
        device,
        embedded,
        state: "live",
        references: 1,
        hasParent: true,
        inRoot: false,
      };
    else Object.assign(present, { state: "live", references: 1, hasParent: true });
    device.properties.push(device.window);
  }

  dropDevice(device: NaiveDevice): void {
    if (--device.references > 0) return;
    const { properties } = device;
    for (const region of properties) {
      region.hasParent = false;
      this.drop(region);
    }
    device.freed = true;
    for (const region of properties) if (region.embedded) region.state = "freed";
    if (device.window.embedded) device.window.state = "freed";
  }

  hold(region: NaiveRegion): void {
    region.references++;
  }

  drop(region: NaiveRegion): void {
    this.touchRegion(region);
    if (region.references <= 0) throw new NaiveAbort("no reference left");
    if (--region.references > 0 || region.state === "freed") return;
    if (region.inRoot) throw new NaiveAbort("finalized in a container of another owner");
    if (this.view.shown.includes(region)) this.touches.add(`FinalizedInView ${region.id}`);
    if (region.hasParent) throw new NaiveAbort("finalized with a parent");
    region.state = region.embedded ? "finalized" : "freed";
  }

  unparent(region: NaiveRegion): void {
    this.touchRegion(region);
    if (!region.hasParent) return;
    region.hasParent = false;
    const { properties } = region.device;
    properties.splice(properties.lastIndexOf(region), 1);
    this.drop(region);
  }

  map(region: NaiveRegion): void {
    region.inRoot = true;
    region.device.references++;
    this.mapped.push(region);
    this.commit();
  }

  unmap(region: NaiveRegion): void {
    region.inRoot = false;
    this.mapped.splice(this.mapped.indexOf(region), 1);
    this.dropDevice(region.device);
    this.commit();
  }

  addAlias(region: NaiveRegion): void {
    this.aliased.push(region);
    this.commit();
  }

  removeAlias(region: NaiveRegion): void {
    this.touchRegion(region); // no longer mapped by way of an alias
    this.aliased.splice(this.aliased.indexOf(region), 1);
    this.commit();
  }

  touchRegion({ state, id }: NaiveRegion): void {
    if (state !== "live")
      this.touches.add(`${state === "freed" ? "UseAfterFree" : "UseAfterFinalize"} ${id}`);
  }

  touchDevice({ freed, id }: NaiveDevice): void {
    if (freed) this.touches.add(`UseAfterFree ${id}`);
  }

  touchView({ freed, id }: NaiveView): void {
    if (freed) this.touches.add(`UseAfterFree ${id}`);
  }

  /** An access through the current view to an alias of `region`. */
  access(region: NaiveRegion): void {
    if (this.view.shown.includes(region)) this.touchRegion(region);
  }

  enterReader(): number {
    this.readers.push(this.entered);
    return this.entered++;
  }

  leaveReader(reader: number): void {
    this.readers.splice(this.readers.indexOf(reader), 1);
  }

  /** Destroys the views that no reader holds back: each drops two references to the owner of each of its ranges. */
  gracePeriod(): void {
    const oldest = Math.min(...this.readers);
    const ready = this.ending.filter(({ after }) => after <= oldest);
    this.ending.splice(0, ready.length);
    for (const { view } of ready) {
      for (const region of [...view.shown, ...view.shown]) {
        this.touchRegion(region);
        this.dropDevice(region.device);
      }
      view.freed = true;
    }
  }

  /** Renders everything again, which looks at the target of every alias. */
  private commit(): void {
    for (const region of this.aliased) this.touchRegion(region);
    const shown = [...this.mapped, ...this.aliased.filter(({ state }) => state === "live")];
    for (const { device } of shown) device.references += 2;
    const old = this.view;
    const any = this.mapped.length + this.aliased.length > 0;
    this.view = any ? { id: `view ${++this.numbers}`, shown, freed: false } : EMPTY;
    if (old !== EMPTY) this.ending.push({ view: old, after: this.entered });
  }
}
