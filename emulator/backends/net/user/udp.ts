/** UDP datagrams. Source: RFC 768. */
import { transportChecksum } from "./checksum.ts";
import { type Ipv4Packet, PROTOCOL_UDP } from "./ipv4.ts";

const HEADER_BYTES = 8;

/** One end of a conversation. */
export interface Endpoint {
  readonly address: number;
  /** 0 to 65535. */
  readonly port: number;
}

export interface Datagram {
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly data: Uint8Array;
}

/** Null if the datagram is truncated or has a wrong checksum; a checksum of 0 means that there is none. */
export function parseUdp(packet: Ipv4Packet): Datagram | null {
  const { payload } = packet;
  if (payload.length < HEADER_BYTES) return null;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const length = view.getUint16(4);
  if (length < HEADER_BYTES || length > payload.length) return null;
  const segment = payload.subarray(0, length);
  const sum = transportChecksum(packet.source, packet.destination, PROTOCOL_UDP, segment);
  if (view.getUint16(6) !== 0 && sum !== 0) return null;
  return {
    source: { address: packet.source, port: view.getUint16(0) },
    destination: { address: packet.destination, port: view.getUint16(2) },
    data: segment.subarray(HEADER_BYTES),
  };
}

export function buildUdp({ source, destination, data }: Datagram): Ipv4Packet {
  const segment = new Uint8Array(HEADER_BYTES + data.length);
  const view = new DataView(segment.buffer);
  view.setUint16(0, source.port);
  view.setUint16(2, destination.port);
  view.setUint16(4, segment.length);
  segment.set(data, HEADER_BYTES);
  const sum = transportChecksum(source.address, destination.address, PROTOCOL_UDP, segment);
  view.setUint16(6, sum === 0 ? 0xffff : sum); // 0 would mean no checksum
  return {
    source: source.address,
    destination: destination.address,
    protocol: PROTOCOL_UDP,
    payload: segment,
  };
}
