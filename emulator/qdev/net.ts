import { type ClassProperty, QomError } from "#qom";
import type { Device } from "./device.ts";
import { checkUnrealized } from "./properties.ts";
import type { VmState } from "./vmstate.ts";

/** A network card, as the host sees it. */
export interface NetDevice {
  /** Takes ownership of a frame; false if it has no room, in which case it calls `acceptInput` once it has. */
  receive(frame: Uint8Array): boolean;
}

/** What a network card is connected to. Frames are Ethernet frames without the frame check sequence. */
export interface NetBackend {
  /** Connects a card; null disconnects it and drops the frames waiting for it. */
  connect(card: NetDevice | null): void;
  /** Takes ownership of a frame from the guest, always and at once. */
  transmit(frame: Uint8Array): void;
  /** Tells that there is room again after `receive` returned false. */
  acceptInput(): void;
  /** State for snapshots; absent if there is none. */
  readonly vmState?: VmState;
}

/** A device with a MAC address: six bytes, all 0 until one is assigned. */
interface WithMac extends Device {
  mac: Uint8Array;
}

/** The option for a network card's MAC address; fixed once the device is realized. */
export function macProperty<T extends WithMac>(name: string): ClassProperty<T> {
  return {
    name,
    type: "str",
    get: (device) => [...device.mac].map((byte) => byte.toString(16).padStart(2, "0")).join(":"),
    set: (device, value) => {
      checkUnrealized(device, name);
      const text = String(value);
      if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text))
        throw new QomError(`property ${name} is ${value}; give six bytes like 52:54:00:12:34:56`);
      device.mac = Uint8Array.from(text.split(/[:-]/), (byte) => Number.parseInt(byte, 16));
    },
  };
}

/** Default MAC addresses, assigned one after the other, as in QEMU. */
export class MacPool {
  private readonly taken = new Set<number>();

  /** @throws QomError when there are no more. */
  next(): Uint8Array {
    for (let last = 0x56; last <= 0xff; last++) {
      if (this.taken.has(last)) continue;
      this.taken.add(last);
      return Uint8Array.of(...PREFIX, last);
    }
    throw new QomError("there are no more default MAC addresses; give each network card one with mac=");
  }

  /** Marks a chosen address as taken. */
  claim(mac: Uint8Array): void {
    if (isOfPool(mac)) this.taken.add(mac[5] as number); // a MAC has six bytes
  }

  release(mac: Uint8Array): void {
    if (isOfPool(mac)) this.taken.delete(mac[5] as number); // as above
  }
}

const PREFIX = [0x52, 0x54, 0x00, 0x12, 0x34] as const;

function isOfPool(mac: Uint8Array): boolean {
  return mac.length === 6 && PREFIX.every((byte, index) => mac[index] === byte);
}
