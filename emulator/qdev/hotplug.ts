import { QomError } from "#qom";
import type { Device } from "./device.ts";

/**
 * Decides about devices that come and go on a bus, or anywhere on a machine. Each method may refuse by throwing a
 * QomError. Source: QEMU 10.2.2, hw/core/qdev.c (device_set_realized) and system/qdev-monitor.c (qdev_unplug).
 */
export interface HotplugHandler {
  /** Called before a device is realized: checks it, and gives it what it needs. */
  prePlug?(device: Device): void;
  /** Called once it is realized: makes it visible to the guest. If this throws, the device is unrealized again. */
  plug?(device: Device): void;
  /**
   * Asks the guest to release the device; once it has, `completeUnplug` follows. Without this method, unplugging is done at
   * once.
   */
  unplugRequest?(device: Device): void;
  /** Takes the device from the guest; must unrealize it. Default: only that. */
  unplug?(device: Device): void;
}

/** Hears of every device of a machine. */
export interface DeviceListener {
  /** The device has been realized, but the buses below it have not. */
  realize?(device: Device): void;
  /** The device has been unrealized. */
  unrealize?(device: Device): void;
}

/**
 * Removes a device from a running machine, as `device_del`: now, or once the guest has released it, if its handler asks
 * the guest.
 * @throws QomError when neither its bus nor the machine can unplug it, when it is about to go already, or when the
 *   handler refuses
 */
export function requestUnplug(device: Device): void {
  const name = device.canonicalPath() ?? device.describe();
  if (device.unplugPending) throw new QomError(`device ${name} is already in the process of unplug`);
  const handler = device.hotplugHandler;
  if (!device.hotpluggable || handler === null)
    throw new QomError(`device ${name} does not support hot-plugging; give one on a bus that does`);
  if (handler.unplugRequest === undefined) {
    completeUnplug(device);
    return;
  }
  device.unplugPending = true;
  try {
    handler.unplugRequest(device);
  } catch (refusal) {
    device.unplugPending = false;
    throw refusal;
  }
}

/** Completes an unplug, as when the guest ejects the device: other references may keep it alive. */
export function completeUnplug(device: Device): void {
  const handler = device.hotplugHandler;
  if (handler?.unplug !== undefined) handler.unplug(device);
  else device.unplug();
  device.unparent();
}
