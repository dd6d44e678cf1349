import type { VmState } from "./vmstate.ts";

/** The host's end of a serial line: takes what the guest sends. */
export interface CharBackend {
  /** Takes one byte from the guest, always and at once. */
  write(byte: number): void;
  /** There is room again after `canReceive` said 0, or more than it said. */
  acceptInput?(): void;
}

/** A device with a serial line, as the host sees it. */
export interface CharDevice {
  /** Plugs a host in; null unplugs it, and what the guest sends is lost. */
  connect(backend: CharBackend | null): void;
  /** Bytes that the device would take now. Hosts that send more lose them to an overrun, as on a real line. */
  canReceive(): number;
  /** Puts one byte on the line towards the guest. */
  receive(byte: number): void;
  /** Holds the line in the break condition for the time of one character. */
  receiveBreak(): void;
}

/** A host's end of a line that has a name (`-chardev`), and serves whichever device asks for it. */
export interface Chardev extends CharBackend {
  /** Tells it which device its input goes to; null: none any more. */
  attach(device: CharDevice | null): void;
  /** What a snapshot keeps of it; absent: it has nothing to keep. */
  readonly vmState?: VmState;
}
