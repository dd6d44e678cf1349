/** IPv4 packets. Source: RFC 791. Options are skipped; fragments are not reassembled. */
import { checksum } from "./checksum.ts";

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

export const IPV4_HEADER_BYTES = 20;
const TIME_TO_LIVE = 64;
/** As in QEMU's network, for ping replies and unreachable messages. */
const TIME_TO_LIVE_OF_ICMP = 255;
const DONT_FRAGMENT = 0x4000;
const FRAGMENT_OFFSET_OR_MORE = 0x3fff;

export interface Ipv4Packet {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly payload: Uint8Array;
}

export interface ReceivedIpv4Packet extends Ipv4Packet {
  /** Header and payload, without the frame's padding. */
  readonly whole: Uint8Array;
  readonly headerBytes: number;
  /** Whether it is a fragment of a larger packet. */
  readonly fragment: boolean;
}

/** Null if the packet is not IPv4, is truncated, or has a wrong header checksum. */
export function parseIpv4(bytes: Uint8Array): ReceivedIpv4Packet | null {
  if (bytes.length < IPV4_HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = view.getUint8(0) >>> 4;
  const headerBytes = (view.getUint8(0) & 0x0f) * 4;
  const length = view.getUint16(2);
  if (version !== 4 || headerBytes < IPV4_HEADER_BYTES || length < headerBytes || length > bytes.length)
    return null;
  if (checksum(bytes.subarray(0, headerBytes)) !== 0) return null;
  return {
    source: view.getUint32(12),
    destination: view.getUint32(16),
    protocol: view.getUint8(9),
    payload: bytes.subarray(headerBytes, length),
    whole: bytes.subarray(0, length),
    headerBytes,
    fragment: (view.getUint16(6) & FRAGMENT_OFFSET_OR_MORE) !== 0,
  };
}

/** @param identification unique among packets in flight, modulo 2^16. */
export function buildIpv4(packet: Ipv4Packet, identification: number): Uint8Array {
  const bytes = new Uint8Array(IPV4_HEADER_BYTES + packet.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x45); // version 4, header of 5 words
  view.setUint16(2, bytes.length);
  view.setUint16(4, identification & 0xffff);
  view.setUint16(6, DONT_FRAGMENT);
  view.setUint8(8, packet.protocol === PROTOCOL_ICMP ? TIME_TO_LIVE_OF_ICMP : TIME_TO_LIVE);
  view.setUint8(9, packet.protocol);
  view.setUint32(12, packet.source);
  view.setUint32(16, packet.destination);
  view.setUint16(10, checksum(bytes.subarray(0, IPV4_HEADER_BYTES)));
  bytes.set(packet.payload, IPV4_HEADER_BYTES);
  return bytes;
}
