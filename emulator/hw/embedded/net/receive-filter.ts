/** Which frames a network card takes. Source: VIRTIO 1.2, section 5.1.6.5. */

/** Addresses in the table; when there are more, all of their kind are taken. */
export const MOST_ADDRESSES = 64;
export const MOST_VLANS = 4096;

const ETHERTYPE_VLAN = 0x8100;
const ETHERNET_HEADER_BYTES = 14;

export class ReceiveFilter {
  /** The card's own address: six bytes. */
  mac: Uint8Array = new Uint8Array(6);
  promiscuous = true;
  allMulticast = false;
  allUnicast = false;
  noMulticast = false;
  noUnicast = false;
  noBroadcast = false;
  /** Whether the driver says which VLANs it wants. */
  filtersVlans = false;
  private unicast: readonly string[] = [];
  private multicast: readonly string[] = [];
  private unicastOverflow = false;
  private multicastOverflow = false;
  private readonly vlans = new Set<number>();

  /** As after power-on: everything is taken. */
  reset(mac: Uint8Array): void {
    this.mac = mac;
    this.promiscuous = true;
    this.allMulticast = false;
    this.allUnicast = false;
    this.noMulticast = false;
    this.noUnicast = false;
    this.noBroadcast = false;
    this.filtersVlans = false;
    this.setAddresses([], []);
    this.vlans.clear();
  }

  /** Sets the tables, of six bytes each. A table of more than there is room for stands for all addresses. */
  setAddresses(unicast: readonly Uint8Array[] | "all", multicast: readonly Uint8Array[] | "all"): void {
    this.unicastOverflow = unicast === "all";
    this.multicastOverflow = multicast === "all";
    this.unicast = unicast === "all" ? [] : unicast.map(String);
    this.multicast = multicast === "all" ? [] : multicast.map(String);
  }

  setVlan(vlan: number, wanted: boolean): void {
    if (wanted) this.vlans.add(vlan);
    else this.vlans.delete(vlan);
  }

  accepts(frame: Uint8Array): boolean {
    if (this.promiscuous) return true;
    if (frame.length < ETHERNET_HEADER_BYTES) return false;
    if (this.filtersVlans && !this.wantsVlanOf(frame)) return false;
    const destination = frame.subarray(0, 6);
    const first = destination[0] as number; // it has six
    if ((first & 1) !== 0) {
      if (destination.every((byte) => byte === 0xff)) return !this.noBroadcast;
      if (this.noMulticast) return false;
      return this.allMulticast || this.multicastOverflow || this.multicast.includes(String(destination));
    }
    if (this.noUnicast) return false;
    if (this.allUnicast || this.unicastOverflow || destination.every((byte, at) => byte === this.mac[at]))
      return true;
    return this.unicast.includes(String(destination));
  }

  private wantsVlanOf(frame: Uint8Array): boolean {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
    if (view.getUint16(12) !== ETHERTYPE_VLAN || frame.length < ETHERNET_HEADER_BYTES + 4) return true;
    return this.vlans.has(view.getUint16(14) & 0xfff);
  }
}
