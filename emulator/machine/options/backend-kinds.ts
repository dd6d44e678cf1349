import type { DeviceModel } from "#qdev";
import type { BackendOption } from "./hardware-options.ts";

/** Something of the host's that is given back at the machine's end. */
export interface HostResource {
  close(): void;
}

/** Makes the backend of an option known to the devices of `model`. @throws InputError when its properties cannot be met. */
export type BackendKind = (option: BackendOption, model: DeviceModel) => HostResource;

/** Kinds of `-chardev`, by name: a room that has one adds it here. */
export const CHARDEV_KINDS = new Map<string, BackendKind>();

/** Kinds of `-netdev`, likewise. */
export const NETDEV_KINDS = new Map<string, BackendKind>();
