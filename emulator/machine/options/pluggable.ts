import { Device, type DeviceModel, SysBusDevice } from "#qdev";

/** Devices that `-device` accepts: those on a bus other than the system bus, which belongs to the board. */
export function pluggableDevices(model: DeviceModel): PluggableDevice[] {
  const { types } = model;
  return types.names().flatMap((name) => {
    const type = types.lookup(name);
    if (!types.isA(type, Device.typeName) || types.isA(type, SysBusDevice.typeName)) return [];
    try {
      const device = model.create(type);
      const busType = device instanceof Device ? device.busType : null;
      device.unref();
      return busType === null ? [] : [{ name, bus: busType }];
    } catch {
      return []; // abstract
    }
  });
}

export interface PluggableDevice {
  readonly name: string;
  /** Type of the bus that it needs. */
  readonly bus: string;
}

/** The device that a name from another of QEMU's boards stands for: `virtio-rng-pci` is a `virtio-rng-device`. */
export function counterpart(driver: string, names: readonly string[]): string | null {
  const stem = driver.replace(/-(pci|ccw|pci-(non-)?transitional)$/, "");
  return names.find((name) => name === `${stem}-device`) ?? null;
}
