/** Selects the frames that a network card accepts. Source: VIRTIO 1.2, section 5.1.6.5. */
import type { VmStateFields } from "#qdev";

/** Maximum number of addresses in the table; with more, all addresses of the kind are accepted. */
export const MOST_ADDRESSES = 64;
export const MOST_VLANS = 4096;

const WORD_BITS = 32;

const ETHERTYPE_VLAN = 0x8100;
const ETHERNET_HEADER_BYTES = 14;

export class ReceiveFilter {
  /** State for snapshots. */
  static readonly vmFields = {
    mac: "bytes",
    promiscuous: "bool",
    allMulticast: "bool",
    allUnicast: "bool",
    noMulticast: "bool",
    noUnicast: "bool",
    noBroadcast: "bool",
    unicast: "list",
    multicast: "list",
    unicastOverflow: "bool",
    multicastOverflow: "bool",
    vlans: "uint32s",
  } as const satisfies VmStateFields;

  /** The card's own address: six bytes. */
  mac: Uint8Array = new Uint8Array(6);
  promiscuous = true;
  allMulticast = false;
  allUnicast = false;
  noMulticast = false;
  noUnicast = false;
  noBroadcast = false;
  /** Whether the driver selects VLANs. */
  filtersVlans = false;
  /** Addresses as 48-bit numbers. */
  private unicast: readonly number[] = [];
  private multicast: readonly number[] = [];
  private unicastOverflow = false;
  private multicastOverflow = false;
  /** A bit for each VLAN, set if the driver selects it. */
  private readonly vlans = new Uint32Array(MOST_VLANS / WORD_BITS);

  /** Restores the power-on state, in which all frames are accepted. */
  reset(mac: Uint8Array): void {
    this.mac = mac.slice();
    this.promiscuous = true;
    this.allMulticast = false;
    this.allUnicast = false;
    this.noMulticast = false;
    this.noUnicast = false;
    this.noBroadcast = false;
    this.filtersVlans = false;
    this.setAddresses([], []);
    this.vlans.fill(0);
  }

  /** Sets the tables of six-byte addresses; "all" stands for a table that is too large. */
  setAddresses(unicast: readonly Uint8Array[] | "all", multicast: readonly Uint8Array[] | "all"): void {
    this.unicastOverflow = unicast === "all";
    this.multicastOverflow = multicast === "all";
    this.unicast = unicast === "all" ? [] : unicast.map(addressNumber);
    this.multicast = multicast === "all" ? [] : multicast.map(addressNumber);
  }

  setVlan(vlan: number, wanted: boolean): void {
    const word = Math.floor(vlan / WORD_BITS);
    const bit = 1 << (vlan % WORD_BITS);
    const others = (this.vlans[word] ?? 0) & ~bit;
    this.vlans[word] = wanted ? others | bit : others;
  }

  accepts(frame: Uint8Array): boolean {
    if (this.promiscuous) return true;
    if (frame.length < ETHERNET_HEADER_BYTES) return false;
    if (this.filtersVlans && !this.wantsVlanOf(frame)) return false;
    const destination = frame.subarray(0, 6);
    const first = destination[0] as number; // of six bytes
    if ((first & 1) !== 0) {
      if (destination.every((byte) => byte === 0xff)) return !this.noBroadcast;
      if (this.noMulticast) return false;
      return (
        this.allMulticast || this.multicastOverflow || this.multicast.includes(addressNumber(destination))
      );
    }
    if (this.noUnicast) return false;
    if (this.allUnicast || this.unicastOverflow || destination.every((byte, at) => byte === this.mac[at]))
      return true;
    return this.unicast.includes(addressNumber(destination));
  }

  private wantsVlanOf(frame: Uint8Array): boolean {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
    if (view.getUint16(12) !== ETHERTYPE_VLAN || frame.length < ETHERNET_HEADER_BYTES + 4) return true;
    const vlan = view.getUint16(14) & (MOST_VLANS - 1);
    return (((this.vlans[Math.floor(vlan / WORD_BITS)] ?? 0) >>> (vlan % WORD_BITS)) & 1) === 1;
  }
}

/** The six bytes of an address as a number, most significant byte first. */
function addressNumber(bytes: Uint8Array): number {
  return bytes.reduce((number, byte) => number * 0x100 + byte, 0);
}
