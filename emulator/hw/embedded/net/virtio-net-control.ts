/** Commands of a network card's control queue. Source: VIRTIO 1.2, section 5.1.6.5. */

import type { VirtioDevice } from "../virtio/virtio-device.ts";
import type { Virtqueue } from "../virtio/virtqueue.ts";
import { MOST_ADDRESSES, MOST_VLANS, type ReceiveFilter } from "./receive-filter.ts";
import { VIRTIO_NET_F } from "./virtio-net-features.ts";

const CLASS_RECEIVE = 0;
const CLASS_MAC = 1;
const CLASS_VLAN = 2;
const CLASS_ANNOUNCE = 3;
const CLASS_GUEST_OFFLOADS = 5;

const RECEIVE_PROMISCUOUS = 0;
const RECEIVE_ALL_MULTICAST = 1;
const RECEIVE_ALL_UNICAST = 2;
const RECEIVE_NO_MULTICAST = 3;
const RECEIVE_NO_UNICAST = 4;
const RECEIVE_NO_BROADCAST = 5;
const MAC_TABLE_SET = 0;
const MAC_ADDRESS_SET = 1;
const VLAN_ADD = 0;
const VLAN_DELETE = 1;
const ANNOUNCE_ACKNOWLEDGE = 0;
const GUEST_OFFLOADS_SET = 0;

const DONE = 0;
const REFUSED = 1;

/** Class and command. */
const HEADER_BYTES = 2;
const MAC_BYTES = 6;
/** Commands are read only up to this length, which exceeds that of any valid one. */
const LONGEST_COMMAND = 0x1_0000;

export class VirtioNetControl {
  private readonly device: VirtioDevice;
  private readonly filter: ReceiveFilter;

  constructor(device: VirtioDevice, filter: ReceiveFilter) {
    this.device = device;
    this.filter = filter;
  }

  /** Carries out the commands in the queue. */
  serve(queue: Virtqueue): void {
    for (let element = queue.pop(); element !== null; element = queue.pop()) {
      if (element.outBytes < HEADER_BYTES || element.inBytes === 0) {
        queue.unpop(element);
        this.device.fail(`queue ${queue.index}: a command has no header, or no room for a status`);
        return;
      }
      const command = new Uint8Array(Math.min(element.outBytes, LONGEST_COMMAND));
      element.read(0, command);
      const done = this.carryOut(command[0] ?? 0, command[1] ?? 0, command.subarray(HEADER_BYTES));
      element.write(0, Uint8Array.of(done ? DONE : REFUSED));
      queue.push(element, 1);
      this.device.notify(queue);
    }
  }

  private carryOut(category: number, command: number, data: Uint8Array): boolean {
    switch (category) {
      case CLASS_RECEIVE:
        return this.setMode(command, data);
      case CLASS_MAC:
        return this.setAddresses(command, data);
      case CLASS_VLAN:
        return this.setVlan(command, data);
      case CLASS_ANNOUNCE:
        // Never requested, since machines do not migrate to other hosts; drivers may acknowledge it all the same.
        return command === ANNOUNCE_ACKNOWLEDGE && this.device.hasFeature(VIRTIO_NET_F.guestAnnounce);
      case CLASS_GUEST_OFFLOADS:
        return this.setOffloads(command, data);
      default:
        return false;
    }
  }

  private setMode(command: number, data: Uint8Array): boolean {
    const { filter } = this;
    const [value] = data;
    if (value === undefined) return false;
    const on = value !== 0;
    switch (command) {
      case RECEIVE_PROMISCUOUS:
        filter.promiscuous = on;
        return true;
      case RECEIVE_ALL_MULTICAST:
        filter.allMulticast = on;
        return true;
      case RECEIVE_ALL_UNICAST:
        filter.allUnicast = on;
        return true;
      case RECEIVE_NO_MULTICAST:
        filter.noMulticast = on;
        return true;
      case RECEIVE_NO_UNICAST:
        filter.noUnicast = on;
        return true;
      case RECEIVE_NO_BROADCAST:
        filter.noBroadcast = on;
        return true;
      default:
        return false;
    }
  }

  private setAddresses(command: number, data: Uint8Array): boolean {
    if (command === MAC_ADDRESS_SET) {
      if (data.length !== MAC_BYTES) return false;
      this.filter.mac = data.slice();
      return true;
    }
    if (command !== MAC_TABLE_SET) return false;
    const unicast = readTable(data);
    const multicast = unicast === null ? null : readTable(data.subarray(unicast.bytes));
    if (unicast === null || multicast === null) return false;
    if (unicast.bytes + multicast.bytes !== data.length) return false;
    const first = unicast.addresses.length > MOST_ADDRESSES ? "all" : unicast.addresses;
    const left = MOST_ADDRESSES - (first === "all" ? 0 : first.length);
    this.filter.setAddresses(first, multicast.addresses.length > left ? "all" : multicast.addresses);
    return true;
  }

  private setVlan(command: number, data: Uint8Array): boolean {
    const [low, high] = data;
    if (low === undefined || high === undefined) return false;
    const vlan = low | (high << 8);
    if (vlan >= MOST_VLANS || (command !== VLAN_ADD && command !== VLAN_DELETE)) return false;
    this.filter.setVlan(vlan, command === VLAN_ADD);
    return true;
  }

  /** No offloads are offered, so the empty set is the only valid one. */
  private setOffloads(command: number, data: Uint8Array): boolean {
    if (!this.device.hasFeature(VIRTIO_NET_F.ctrlGuestOffloads) || command !== GUEST_OFFLOADS_SET)
      return false;
    return data.length === 8 && data.every((byte) => byte === 0);
  }
}

/** Reads a 32-bit count and that number of addresses. */
function readTable(
  data: Uint8Array,
): { readonly addresses: readonly Uint8Array[]; readonly bytes: number } | null {
  if (data.length < 4) return null;
  const count = new DataView(data.buffer, data.byteOffset, data.length).getUint32(0, true);
  const bytes = 4 + count * MAC_BYTES;
  if (bytes > data.length) return null;
  const addresses = Array.from({ length: count }, (_, index) =>
    data.slice(4 + index * MAC_BYTES, 4 + (index + 1) * MAC_BYTES),
  );
  return { addresses, bytes };
}
