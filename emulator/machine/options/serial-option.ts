import { CommandError } from "#host";
import type { BackendOption } from "./hardware-options.ts";

export type SerialOption =
  | {
      readonly kind: "stdio";
      readonly text: string;
      /** Whether Ctrl-A introduces commands, one of which opens the monitor; otherwise all keys go to the guest. */
      readonly escapes: boolean;
    }
  | {
      readonly kind: "chardev";
      readonly text: string;
      readonly id: string;
      /** The backend to create for it; null: it is the `-chardev` with that id. */
      readonly backend: BackendOption | null;
    };

/** QEMU's name for the backend of its first serial port. */
const OWN_BACKEND = "serial0";
const CHOICES = "mon:stdio, stdio, null, none, file:PATH, pipe:PATH, or chardev:ID of a -chardev";

/** @throws CommandError when it is unknown, or more than one is given for the only port. */
export function parseSerial(given: readonly string[]): SerialOption | null {
  const [where, second] = given;
  if (where === undefined) return null;
  const text = `-serial ${where}`;
  if (second !== undefined)
    throw new CommandError(
      `-serial ${second}: the board has one serial port, which ${text} already uses; give only one`,
    );
  const backend = (kind: string, properties: BackendOption["properties"] = []): SerialOption => ({
    kind: "chardev",
    text,
    id: OWN_BACKEND,
    backend: { text, kind, id: OWN_BACKEND, properties },
  });
  const colon = where.indexOf(":");
  const kind = colon < 0 ? where : where.slice(0, colon);
  const rest = colon < 0 ? null : where.slice(colon + 1);
  switch (kind) {
    case "stdio":
      if (rest === null) return { kind: "stdio", text, escapes: false };
      break;
    case "mon":
      if (rest === "stdio") return { kind: "stdio", text, escapes: true };
      throw new CommandError(`${text}: the monitor can share only the terminal; give mon:stdio`);
    case "null":
    case "none":
      if (rest === null) return backend("null");
      break;
    case "file":
    case "pipe":
      if (rest) return backend(kind, [["path", rest]]);
      throw new CommandError(`${text}: it names no file; give ${kind}:PATH`);
    case "chardev":
      if (rest) return { kind: "chardev", text, id: rest, backend: null };
      throw new CommandError(`${text}: it names no -chardev; give chardev:ID`);
  }
  throw new CommandError(`${text}: the port cannot be connected to that; give ${CHOICES}`);
}
