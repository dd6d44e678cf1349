import type { StdioChar } from "#backends";
import type { DeviceModel } from "#qdev";
import { fileChar, nullChar, pipeChar, ringbufChar, socketChar, stdioChar } from "./char-backends.ts";
import type { BackendOption } from "./hardware-options.ts";
import { userNetwork } from "./network-backends.ts";

/** A host resource that is released at the end of the machine. */
export interface HostResource {
  /** Settles once it can be used; rejects with a CommandError when it cannot. */
  readonly ready?: Promise<unknown>;
  /** Whether it produces events of its own, in host time. */
  readonly reachesHost?: boolean;
  /** What to await before the guest gives it more; null: nothing. @throws CommandError when it accepts no more */
  congestion?(): Promise<void> | null;
  /** The stdio backend, if this is one. */
  readonly stdio?: StdioChar;
  close(): void;
}

/** Creates the backend of an option and registers it with `model`. @throws CommandError for invalid properties. */
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

/** Kinds of `-netdev`, by name. */
export const NETDEV_KINDS: ReadonlyMap<string, BackendKind> = new Map([["user", userNetwork]]);
