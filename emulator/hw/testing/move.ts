/** Moves a machine's state to another, as a snapshot does: memory, and all fields that devices declare, by name. */
import { Device, loadFields, saveFields } from "#qdev";
import { QomAbort, type QomObject } from "#qom";
import { bytesAt, RAM, RAM_BYTES, type VirtioRig } from "./virtio-driver.ts";

/** The declared state of every device of a rig, by path, as text: equal states have equal texts. */
export function stateOf({ model }: VirtioRig): ReadonlyMap<string, string> {
  const states = new Map<string, string>();
  for (const [path, device] of devicesBelow(model.root)) {
    const { vmState } = device;
    if (vmState === null) throw new QomAbort(`${path} declares no state`);
    states.set(path, JSON.stringify([vmState.name, vmState.version, saveFields(device, vmState.fields)]));
  }
  return states;
}

/** Copies the state of `source` to `target`, which has the same devices, with the progress of its driver. */
export function move(source: VirtioRig, target: VirtioRig): void {
  target.space.writeBytes(RAM, bytesAt(source.space, RAM, RAM_BYTES));
  const devices = new Map(devicesBelow(target.model.root));
  const states = stateOf(source);
  const steps = [...states].flatMap(([path, state]) => {
    const device = devices.get(path);
    const vmState = device?.vmState ?? null;
    const [name, version, fields] = JSON.parse(state);
    if (device === undefined || vmState === null || vmState.name !== name || vmState.version !== version)
      throw new QomAbort(`${path} is no ${name}, version ${version}, there`);
    return loadFields(device, vmState.fields, fields, path);
  });
  for (const step of steps) step();
  for (const device of devices.values()) device.vmState?.postLoad?.(device);
  target.queues.splice(0, target.queues.length, ...source.queues.map((queue) => ({ ...queue })));
}

function* devicesBelow(object: QomObject): IterableIterator<[string, Device]> {
  for (const each of object.descendants())
    if (each instanceof Device) yield [each.canonicalPath() ?? "", each];
}
