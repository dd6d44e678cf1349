/** Lives of devices on a checked device model, and what goes wrong in them. */
import { ts } from "ts-morph";
import * as memory from "#memory";
import { AddressSpace, MemoryRegion, WHOLE_ADDRESS_SPACE } from "#memory";
import * as qdev from "#qdev";
import { Clock, Device, DeviceModel, SysBusDevice } from "#qdev";
import * as qom from "#qom";
import { ObjectState, type QomType } from "#qom";

/** Waits for readers by itself, which is an error while one is reading. */
const withoutReader: ReadonlySet<string> = new Set(["RootAfterDrain"]);
/** Public methods of the fixtures that stand for what a board or a guest does. */
const called: ReadonlySet<string> = new Set([
  "remap",
  "select",
  "show",
  "hide",
  "attach",
  "addBank",
  "eject",
  "drop",
  "leave",
]);

/** A device for fields that expect another one. */
class Peer extends SysBusDevice {
  static override readonly typeName = "peer";
  readonly bar = this.embed(MemoryRegion);
  protected override realize(): void {
    this.bar.init(this, "bar", 0x10_0000);
    this.initMmio(this.bar);
  }
}

/** A class of devices, as the fixtures export them. */
export type DeviceType = QomType<Device> & { readonly name: string; readonly prototype: object };

/** What goes wrong in one life of a device, in words. */
function wrongInLife(type: DeviceType, all: readonly QomType[], resetAfterwards: boolean): string[] {
  const wrong: string[] = [];
  const attempt = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      wrong.push(String(error));
    }
  };
  let now = 0;
  const model = new DeviceModel({ checked: "count", clock: new Clock(() => now, 0n), migratable: false });
  model.types.register(Peer, ...all);
  model.systemMemory = MemoryRegion.new(model.noOwner, "system", WHOLE_ADDRESS_SPACE);
  new AddressSpace(model, model.systemMemory, "memory"); // the model holds it
  const peer = model.create(Peer);
  peer.plugIntoSystemBus();
  attempt(() => {
    const device = model.create(type);
    for (const field of ["peer", "host"]) if (field in device) Reflect.set(device, field, peer);
    if ("size" in type.prototype) Reflect.set(device, "size", 0x1000);
    device.plug(model.systemBus);
    const unmap = mapWindows(device);
    const endReading = withoutReader.has(type.typeName) ? () => {} : model.rcu.read();
    const regions = [...device.children()].length;
    attempt(() => device.reset());
    attempt(() => device.reset());
    if ([...device.children()].length > regions) wrong.push("there are more regions after a reset");
    for (const name of Object.getOwnPropertyNames(type.prototype))
      if (called.has(name)) callTwice(device, name, attempt);
    attempt(unmap);
    if (resetAfterwards) {
      attempt(() => device.unplug());
      attempt(() => device.reset());
    }
    attempt(() => device.remove());
    endReading();
    attempt(() => model.rcu.drain());
    if (device.state !== ObjectState.Freed) wrong.push("the device is never freed");
    if (model.addressSpaces.length > 1) wrong.push("an address space is left");
    now = 1e12;
    attempt(() => model.clock.runExpired());
  });
  attempt(() => model.destroy());
  for (const { typeName } of model.heap.leaks()) wrong.push(`leaks ${typeName}`);
  for (const use of model.detector?.found ?? []) wrong.push(use.message.split(";")[0] ?? "");
  return [...new Set(wrong)];
}

/** Maps the windows of a device that it does not map itself; returns what unmaps them. */
function mapWindows(device: Device): () => void {
  if (!(device instanceof SysBusDevice)) return () => {};
  const mapped: number[] = [];
  for (const [index, { region }] of device.mmioWindows.entries()) {
    if (region.container !== null) continue;
    device.mapMmio(index, 0x1000_0000 + index * 0x10_0000);
    mapped.push(index);
  }
  return () => {
    for (const index of mapped) device.unmapMmio(index);
  };
}

/** Calls a public method with an address, as a board might. */
function callTwice(device: Device, name: string, attempt: (act: () => void) => void): void {
  const method: unknown = Reflect.get(device, name);
  if (typeof method !== "function") return;
  const args = name === "attach" ? [device.model.systemMemory] : [];
  for (const at of [0x4000, 0x8000]) attempt(() => method.apply(device, [...args, at]));
}

export function isDeviceType(value: unknown): value is DeviceType {
  return typeof value === "function" && value.prototype instanceof Device;
}

/** The class under a type name of its own. */
export function named(type: DeviceType): DeviceType {
  Object.defineProperty(type, "typeName", { value: type.name, configurable: true });
  return type;
}

/** What goes wrong in any of the lives of a device; `all` are the types that it may create. */
export function wrongIn(type: DeviceType, all: readonly DeviceType[]): string[] {
  return [false, true].flatMap((resetAfterwards) => wrongInLife(type, all, resetAfterwards));
}

const rooms: Readonly<Record<string, unknown>> = { "#memory": memory, "#qdev": qdev, "#qom": qom };

/** What a source exports that imports nothing but the components of the object model. */
export function loaded(text: string): Record<string, unknown> {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const exported: Record<string, unknown> = {};
  new Function("require", "exports", outputText)((name: string) => rooms[name], exported);
  return exported;
}
