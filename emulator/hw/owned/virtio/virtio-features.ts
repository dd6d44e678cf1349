/** Features that any virtio device may offer, as masks. Source: VIRTIO 1.2, section 6; legacy ones 6.3. */

import { checkBool, checkUnrealized } from "#qdev";
import type { ClassProperty } from "#qom";
import type { VirtioDevice } from "./virtio-device.ts";

/** The driver is told when the device has used all buffers, even if the driver suppressed interrupts. */
export const VIRTIO_F_NOTIFY_ON_EMPTY = 1n << 24n;
/** Buffers may be split anywhere, whatever their content. */
export const VIRTIO_F_ANY_LAYOUT = 1n << 27n;
export const VIRTIO_RING_F_INDIRECT_DESC = 1n << 28n;
export const VIRTIO_RING_F_EVENT_IDX = 1n << 29n;
/** Never offered: a driver that accepts it would accept anything. */
export const VIRTIO_F_BAD_FEATURE = 1n << 30n;
export const VIRTIO_F_VERSION_1 = 1n << 32n;
export const VIRTIO_F_RING_RESET = 1n << 40n;

/** Features known only to legacy drivers. */
export const VIRTIO_LEGACY_FEATURES = VIRTIO_F_NOTIFY_ON_EMPTY | VIRTIO_F_ANY_LAYOUT | VIRTIO_F_BAD_FEATURE;

/** Offered unless an option disables them. */
export const DEFAULT_FEATURES =
  VIRTIO_RING_F_INDIRECT_DESC |
  VIRTIO_RING_F_EVENT_IDX |
  VIRTIO_F_NOTIFY_ON_EMPTY |
  VIRTIO_F_ANY_LAYOUT |
  VIRTIO_F_RING_RESET;

/** An option for whether a device offers `feature`; fixed once the device is realized. */
export function featureProperty<T extends VirtioDevice>(name: string, feature: bigint): ClassProperty<T> {
  return {
    name,
    type: "bool",
    get: (device) => (device.hostFeatures & feature) !== 0n,
    set: (device, value) => {
      checkUnrealized(device, name);
      device.hostFeatures = checkBool(name, value)
        ? device.hostFeatures | feature
        : device.hostFeatures & ~feature;
    },
  };
}
