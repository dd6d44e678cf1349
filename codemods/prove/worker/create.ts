/** Creation of what is under proof, and its seat. */
import type * as Qdev from "#qdev";
import type * as Qom from "#qom";
import type { Exports } from "./linker.ts";
import type { Stage } from "./stage.ts";

/** Exports of modules that may register types or declare buses. */
export type Companions = readonly Exports[];

/** There is no seat for the device. */
export class CannotPlug extends Error {
  override readonly name = "CannotPlug";
}

/** Size of the board that a machine under proof is given. */
const MACHINE = { ramBytes: 0x40_0000, hartCount: 1 };

/** Creates an object of `type` in the composition tree, which holds the only reference. */
export function createSubject(
  stage: Stage,
  type: Qom.QomType,
  name: string,
  companions: Companions,
): Qom.QomObject {
  const { model, rooms } = stage;
  for (const { registerTypes } of companions)
    if (typeof registerTypes === "function") registerTypes(model.types);
  if (type.prototype instanceof rooms.qdev.Machine) {
    model.types.register(type);
    return model.createMachine(type.typeName, MACHINE);
  }
  stage.furnish();
  const object = model.create(type);
  const home = model.childContainer(model.childContainer(model.root, "machine"), "peripheral");
  home.addChild(name, object);
  object.unref(); // the tree holds it from now on
  return object;
}

/** Realizes a device where its class belongs. @throws CannotPlug if there is no such bus. */
export function plugInto(stage: Stage, device: Qdev.Device, companions: Companions): void {
  const { SystemBus, SysBusDevice } = stage.rooms.qdev;
  if (device.busType === null) device.plug();
  else if (device.busType === SystemBus.typeName) {
    if (device instanceof SysBusDevice) device.plugIntoSystemBus();
    else device.plug(stage.model.systemBus);
  } else device.plug(busFor(stage, device.busType, companions));
}

function busFor(stage: Stage, typeName: string, companions: Companions): Qdev.Bus {
  const { model, rooms } = stage;
  const present = model.unattached.child(typeName);
  if (present instanceof rooms.qdev.Bus) return present;
  for (const exports of companions) {
    for (const type of Object.values(exports)) {
      if (typeof type !== "function" || !(type.prototype instanceof rooms.qdev.Bus)) continue;
      const busType = type as unknown as Qom.QomType<Qdev.Bus>; // as just checked
      if (busType.typeName !== typeName) continue;
      const bus = model.create(busType);
      model.unattached.addChild(typeName, bus);
      bus.unref();
      return bus;
    }
  }
  throw new CannotPlug(`it sits on a bus of type ${typeName}, which none of the sources declares`);
}
