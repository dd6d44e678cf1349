/** The parts of a machine that a snapshot saves, each under a name that does not depend on the order of creation. */
import { MemoryRegion } from "#memory";
import { Device, type DeviceModel, SysBusDevice, SystemBus, type VmState } from "#qdev";
import { QomAbort, type QomObject } from "#qom";
import type { Memories } from "./file.ts";

/** A part whose class declares the state to save. */
export interface StatefulPart {
  readonly vmState: VmState | null;
}

/** Backends that have state to save, by option and name. */
export function backendsOf({ netdevs, chardevs }: DeviceModel): ReadonlyMap<string, StatefulPart> {
  const found = new Map<string, StatefulPart>();
  for (const backends of [netdevs, chardevs]) {
    for (const [name, backend] of backends.entries())
      if (isStateful(backend)) found.set(`${backends.option} ${name}`, backend);
  }
  return found;
}

function isStateful(backend: { readonly vmState?: VmState }): backend is { readonly vmState: VmState } {
  return backend.vmState !== undefined;
}

/** Every device of the machine. @throws QomAbort when two have the same name. */
export function devicesOf(model: DeviceModel): ReadonlyMap<string, Device> {
  const devices = new Map<string, Device>();
  for (const object of model.root.descendants()) {
    if (object instanceof Device) addNamed(devices, object, object);
  }
  return devices;
}

/** The name of the bus that a device is plugged into; null on the system bus. */
export function busOf({ parentBus }: Device): string | null {
  return parentBus === null || parentBus instanceof SystemBus ? null : nameOf(parentBus);
}

/** The bytes of every RAM, ROM and flash region. @throws QomAbort when two have the same name. */
export function memoriesOf(model: DeviceModel): Memories {
  const memories = new Map<string, Uint8Array>();
  for (const object of model.root.descendants()) {
    if (object instanceof MemoryRegion && object.ram !== null) addNamed(memories, object, object.ram.bytes);
  }
  return memories;
}

function addNamed<T>(parts: Map<string, T>, object: QomObject, part: T): void {
  const name = nameOf(object);
  if (parts.has(name)) throw new QomAbort(`two parts of the machine are called ${name}`);
  parts.set(name, part);
}

/**
 * The path in the composition tree. An unattached device is named by where it sits: by type and address on the system
 * bus, as in `/serial-mm@10000000`, and by type below any other bus.
 */
function nameOf(object: QomObject): string {
  const { parent } = object;
  if (parent === null) return "";
  if (parent === object.model.unattached && object instanceof Device) {
    const { typeName } = object.qomType;
    if (object.parentBus !== null && !(object.parentBus instanceof SystemBus))
      return `${nameOf(object.parentBus)}/${typeName}`;
    const region = object instanceof SysBusDevice ? object.mmioWindows[0]?.region : undefined;
    if (region !== undefined && region.container !== null)
      return `/${typeName}@${region.address.toString(16)}`;
  }
  return `${nameOf(parent)}/${object.nameInParent}`;
}
