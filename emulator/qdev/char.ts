import type { VmState } from "./vmstate.ts";

/** The host end of a serial line: receives what the guest sends. */
export interface CharBackend {
  /** Takes one byte from the guest, always and at once. */
  write(byte: number): void;
  /** Tells that there is more room than `canReceive` last returned. */
  acceptInput?(): void;
}

/** A device with a serial line, as the host sees it. */
export interface CharDevice {
  /** Connects a host; null disconnects it, after which what the guest sends is lost. */
  connect(backend: CharBackend | null): void;
  /** Number of bytes that the device can take now. Further bytes are lost to an overrun, as on a real line. */
  canReceive(): number;
  /** Sends one byte to the guest. */
  receive(byte: number): void;
  /** Holds the line in the break condition for one character time. */
  receiveBreak(): void;
}

/** A named host end of a line (`-chardev`), which serves the device that asks for it. */
export interface Chardev extends CharBackend {
  /** Sets the device that its input goes to; null for none. */
  attach(device: CharDevice | null): void;
  /** State for snapshots; absent if there is none. */
  readonly vmState?: VmState;
}
