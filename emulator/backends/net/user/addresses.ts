/** IPv4 addresses are unsigned 32-bit numbers in host order; MAC addresses are six bytes. */

/** 255.255.255.255: every host on the link. */
export const BROADCAST_ADDRESS = 0xffff_ffff;

export const BROADCAST_MAC: Uint8Array = new Uint8Array(6).fill(0xff);

/** An IPv4 network: all addresses with the same leading bits. */
export interface Subnet {
  /** First address; the bits after the prefix are 0. */
  readonly address: number;
  /** Number of leading bits in common, 0 to 32. */
  readonly prefix: number;
}

/** Parses an address in dotted decimal notation; null if it is invalid. */
export function parseAddress(text: string): number | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255))
    return null;
  return parts.reduce((address, part) => address * 256 + Number(part), 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");
}

/** The netmask of a prefix length. */
export function netmask(prefix: number): number {
  return prefix === 0 ? 0 : (BROADCAST_ADDRESS << (32 - prefix)) >>> 0;
}

/** The address at offset `place` in the subnet. */
export function addressAt(subnet: Subnet, place: number): number {
  return (subnet.address + place) >>> 0;
}

export function isInside(subnet: Subnet, address: number): boolean {
  return (address & netmask(subnet.prefix)) >>> 0 === subnet.address;
}

/** Whether a reply to `address` could reach more than one host, or none: broadcast, multicast, 0.0.0.0. */
export function isForMany(subnet: Subnet, address: number): boolean {
  const lastOfSubnet = (subnet.address | ~netmask(subnet.prefix)) >>> 0;
  return address === lastOfSubnet || address === 0 || address >= 0xe000_0000;
}

/** The MAC address of a virtual host, as in QEMU: locally administered, ending in the host's IPv4 address. */
export function virtualMac(address: number): Uint8Array {
  return Uint8Array.of(
    0x52,
    0x55,
    address >>> 24,
    (address >>> 16) & 0xff,
    (address >>> 8) & 0xff,
    address & 0xff,
  );
}

/** The six bytes as a number, most significant byte first. */
export function macNumber(mac: Uint8Array): number {
  return mac.reduce((number, byte) => number * 0x100 + byte, 0);
}

/** The inverse of `macNumber`. */
export function macBytes(number: number): Uint8Array {
  return Uint8Array.from({ length: 6 }, (_, index) => Math.floor(number / 0x100 ** (5 - index)) % 0x100);
}

export function sameMac(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, index) => byte === b[index]);
}
