import type { StdioChar } from "#backends";
import type { OutputPlace } from "#host";
import type { DeviceModel } from "#qdev";
import { fileChar, nullChar, pipeChar, ringbufChar, socketChar, stdioChar } from "./char-backends.ts";
import type { BackendOption } from "./hardware-options.ts";
import { userNetwork } from "./network-backends.ts";

/**
 * A host resource that is released at the end of the machine. Nothing of the host is touched before `open`, which a command
 * that runs nothing never calls.
 */
export interface HostResource {
  /** The option, for messages. */
  readonly label?: string;
  /** What it writes, to be compared with all other outputs. */
  readonly output?: OutputPlace;
  /** Opens it, as far as nothing is lost thereby; settles once it can be used. @throws CommandError when it cannot */
  open?(): Promise<unknown>;
  /** Whether it waits for a program at its other end: the reader of a named pipe, the client of a socket. */
  waits?(): boolean;
  /** Empties what is to be overwritten, once nothing can be refused any more. @throws CommandError when it cannot */
  start?(): void;
  /** Whether it produces events of its own, in host time. */
  readonly reachesHost?: boolean;
  /** What to await before the guest gives it more; null: nothing. @throws CommandError when it accepts no more */
  congestion?(): Promise<void> | null;
  /** The stdio backend, if this is one. */
  readonly stdio?: StdioChar;
  close(): void;
  /** After `close`: settles once the host has taken what the guest sent. @throws CommandError when it has not */
  ended?(): Promise<void>;
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
