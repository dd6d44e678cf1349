/** Runs the devices of the fixtures: what the audit reports does go wrong, and what it passes does not. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { AddressSpace, MemoryRegion, WHOLE_ADDRESS_SPACE } from "#memory";
import { Clock, Device, DeviceModel, SysBusDevice } from "#qdev";
import { ObjectState, type QomType } from "#qom";
import { newProject, openWorkspace } from "../source/workspace.ts";
import { auditLifetimes } from "./audit.ts";
import { isBug } from "./finding.ts";

const fixtures = join(import.meta.dirname, "fixtures");

/** Devices with bugs that these lives do not show, and why. */
const invisible: Readonly<Record<string, string>> = {
  PeerTarget: "the peer would have to go first",
  TargetFirst: "the board would have to unmap the alias after the device is unplugged",
  Setter: "the earlier region only stays",
  TwiceInLine: "depends on a field that is false",
  InConstructor: "the region is never finalized, but its storage goes with the device",
  OwnStorage: "nothing accounts for its bytes",
  Mixed: "a warning: each of the two forms is in order by itself",
  UnusedField: "a warning: only bytes are wasted",
  UnusedLocal: "a warning: only bytes are wasted",
  NeverTouched: "a warning: only bytes are wasted",
  ChildEmbedded: "a flat view would have to outlive the device",
  RegionEmbedded: "a flat view would have to outlive the device",
  NoOwnerOwned: "nothing reads the window after the device has gone",
  BusOwned: "nothing reads the window after the device has gone",
  KeepsMapping: "system memory has no owner to count the mapping on",
};
/** Waits for readers by itself, which is an error while one is reading. */
const withoutReader: ReadonlySet<string> = new Set(["RootAfterDrain"]);
/** Public methods of the fixtures that stand for what a board or a guest does. */
const called: ReadonlySet<string> = new Set([
  "remap",
  "select",
  "show",
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
type DeviceType = QomType<Device> & { readonly name: string; readonly prototype: object };

/** What goes wrong in one life of a device, in words. */
function wrongIn(type: DeviceType, all: readonly QomType[], resetAfterwards: boolean): string[] {
  const wrong: string[] = [];
  const attempt = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      wrong.push(String(error));
    }
  };
  let now = 0;
  const model = new DeviceModel({ checked: "count", clock: new Clock(() => now, 0n) });
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

/** Names of `invisible` that have been met. */
const met = new Set<string>();

describe.each(readdirSync(fixtures).filter((name) => name.endsWith(".ts")))("%s", (name) => {
  const path = join(fixtures, name);
  const types = new Map<string, DeviceType>();
  const buggy = new Set<string>();
  const noted = new Set<string>();
  beforeAll(async () => {
    const module: Record<string, unknown> = await import(path);
    for (const [exported, type] of Object.entries(module))
      if (exported !== "default" && isDeviceType(type)) types.set(type.name, named(type));
    for (const finding of auditLifetimes(openWorkspace([path], { project: newProject() })))
      (isBug(finding) ? buggy : noted).add(finding.region.split(".")[0] ?? "");
  });

  test("runs as the audit says", () => {
    const surprises: string[] = [];
    for (const [original, type] of types) {
      if (original in invisible) {
        met.add(original);
        if (!buggy.has(original)) surprises.push(`${original}: not reported`);
        continue;
      }
      if (noted.has(original) && !buggy.has(original)) continue; // a note says that it depends
      const wrong = [false, true].flatMap((afterwards) => wrongIn(type, [...types.values()], afterwards));
      if (buggy.has(original) !== wrong.length > 0)
        surprises.push(
          `${original}: ${wrong.length > 0 ? `not reported, but ${wrong[0]}` : "reported, but nothing is wrong"}`,
        );
    }
    expect(surprises).toEqual([]);
  });
});

test("every exception is a device of the fixtures", () => {
  expect([...met].sort()).toEqual(Object.keys(invisible).sort());
});

function isDeviceType(value: unknown): value is DeviceType {
  return typeof value === "function" && value.prototype instanceof Device;
}

/** The class under a type name of its own. */
function named(type: DeviceType): DeviceType {
  Object.defineProperty(type, "typeName", { value: type.name, configurable: true });
  return type;
}
