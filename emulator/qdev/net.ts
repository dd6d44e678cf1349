import { type ClassProperty, QomError } from "#qom";
import type { Device } from "./device.ts";
import { checkUnrealized } from "./properties.ts";
import type { VmState } from "./vmstate.ts";

/** A network card, as the host sees it. */
export interface NetDevice {
  /** Takes a frame, which is its own from now on; false: it has no room, and calls `acceptInput` once it has. */
  receive(frame: Uint8Array): boolean;
}

/** What a network card is plugged into. Frames are Ethernet's, without their check sequence. */
export interface NetBackend {
  /** Plugs a card in; null unplugs it, and what waits for it is lost. */
  connect(card: NetDevice | null): void;
  /** Takes a frame from the guest, always and at once; it is the backend's own from now on. */
  transmit(frame: Uint8Array): void;
  /** There is room again after `receive` said no. */
  acceptInput(): void;
  /** What a snapshot keeps of it; absent: it has nothing to keep. */
  readonly vmState?: VmState;
}

/** A device with a network card's address: six bytes, of which all are 0 until somebody chooses them. */
interface WithMac extends Device {
  mac: Uint8Array;
}

/** A network card's option that is its MAC address; fixed once the device is realized. */
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

/** The MAC addresses of cards that nobody chose one for: as in QEMU, one after the other. */
export class MacPool {
  private readonly taken = new Set<number>();

  /** @throws QomError when there are no more. */
  next(): Uint8Array {
    for (let last = 0x56; last <= 0xff; last++) {
      if (this.taken.has(last)) continue;
      this.taken.add(last);
      return Uint8Array.of(...PREFIX, last);
    }
    throw new QomError("there are no more MAC addresses for network cards; give them one each with mac=");
  }

  /** Somebody chose an address. */
  claim(mac: Uint8Array): void {
    if (isOfPool(mac)) this.taken.add(mac[5] as number); // it has six bytes
  }

  release(mac: Uint8Array): void {
    if (isOfPool(mac)) this.taken.delete(mac[5] as number); // likewise
  }
}

const PREFIX = [0x52, 0x54, 0x00, 0x12, 0x34] as const;

function isOfPool(mac: Uint8Array): boolean {
  return mac.length === 6 && PREFIX.every((byte, index) => mac[index] === byte);
}
