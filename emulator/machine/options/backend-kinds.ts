import type { StdioChar } from "#backends";
import type { DeviceModel } from "#qdev";
import { fileChar, nullChar, pipeChar, ringbufChar, socketChar, stdioChar } from "./char-backends.ts";
import type { BackendOption } from "./hardware-options.ts";
import { userNetwork } from "./network-backends.ts";

/** Something of the host's that is given back at the machine's end. */
export interface HostResource {
  /** Settles once it can be used; rejects with a CommandError when it cannot. */
  readonly ready?: Promise<unknown>;
  /** Whether things happen there by themselves, in the host's own time. */
  readonly reachesHost?: boolean;
  /** What to wait for before the guest gives it more; null: nothing. @throws CommandError when it takes nothing more */
  congestion?(): Promise<void> | null;
  /** The line that the terminal belongs to, if it is one. */
  readonly stdio?: StdioChar;
  close(): void;
}

/** Makes the backend of an option known to the devices of `model`. @throws CommandError when its properties cannot be met. */
export type BackendKind = (option: BackendOption, model: DeviceModel) => HostResource;

/** Kinds of `-chardev`, by name. */
export const CHARDEV_KINDS: ReadonlyMap<string, BackendKind> = new Map([
  ["null", nullChar],
  ["stdio", stdioChar],
  ["file", fileChar],
  ["pipe", pipeChar],
  ["socket", socketChar],
  ["ringbuf", ringbufChar],
]);

/** Kinds of `-netdev`, likewise. */
export const NETDEV_KINDS: ReadonlyMap<string, BackendKind> = new Map([["user", userNetwork]]);
