/** TCP segments and sequence numbers. Source: RFC 9293. */
import { transportChecksum } from "./checksum.ts";
import { type Ipv4Packet, PROTOCOL_TCP } from "./ipv4.ts";
import type { Endpoint } from "./udp.ts";

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

const HEADER_BYTES = 20;
const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;

export interface TcpSegment {
  readonly source: Endpoint;
  readonly destination: Endpoint;
  /** Sequence number of the first byte, or of the SYN; 0 to 2^32 - 1. */
  readonly sequence: number;
  /** The next sequence number expected; valid only with ACK. */
  readonly acknowledgment: number;
  readonly flags: number;
  /** Number of bytes that the sender accepts from the acknowledgment on. */
  readonly window: number;
  /** The sender's maximum segment size; only with SYN. */
  readonly mss?: number;
  readonly data: Uint8Array;
}

/** Number of sequence numbers that a segment occupies. */
export function segmentLength({ flags, data }: TcpSegment): number {
  return data.length + ((flags & SYN) !== 0 ? 1 : 0) + ((flags & FIN) !== 0 ? 1 : 0);
}

/** The distance from `b` to `a`, modulo 2^32: negative if `a` comes first. */
export function sequenceDistance(a: number, b: number): number {
  return (a - b) | 0;
}

export function sequenceAdd(sequence: number, count: number): number {
  return (sequence + count) >>> 0;
}

/** Null if the segment is truncated or has a wrong checksum. */
export function parseTcp(packet: Ipv4Packet): TcpSegment | null {
  const { payload } = packet;
  if (payload.length < HEADER_BYTES) return null;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const headerBytes = (view.getUint8(12) >>> 4) * 4;
  if (headerBytes < HEADER_BYTES || headerBytes > payload.length) return null;
  if (transportChecksum(packet.source, packet.destination, PROTOCOL_TCP, payload) !== 0) return null;
  const mss = parseMss(payload.subarray(HEADER_BYTES, headerBytes));
  return {
    source: { address: packet.source, port: view.getUint16(0) },
    destination: { address: packet.destination, port: view.getUint16(2) },
    sequence: view.getUint32(4),
    acknowledgment: view.getUint32(8),
    flags: view.getUint8(13),
    window: view.getUint16(14),
    ...(mss === null ? {} : { mss }),
    data: payload.subarray(headerBytes),
  };
}

export function buildTcp(segment: TcpSegment): Ipv4Packet {
  const { source, destination, data, mss } = segment;
  const headerBytes = HEADER_BYTES + (mss === undefined ? 0 : 4);
  const payload = new Uint8Array(headerBytes + data.length);
  const view = new DataView(payload.buffer);
  view.setUint16(0, source.port);
  view.setUint16(2, destination.port);
  view.setUint32(4, segment.sequence);
  view.setUint32(8, segment.acknowledgment);
  view.setUint8(12, (headerBytes / 4) << 4);
  view.setUint8(13, segment.flags);
  view.setUint16(14, segment.window);
  if (mss !== undefined) {
    view.setUint8(HEADER_BYTES, OPTION_MSS);
    view.setUint8(HEADER_BYTES + 1, 4);
    view.setUint16(HEADER_BYTES + 2, mss);
  }
  payload.set(data, headerBytes);
  view.setUint16(16, transportChecksum(source.address, destination.address, PROTOCOL_TCP, payload));
  return { source: source.address, destination: destination.address, protocol: PROTOCOL_TCP, payload };
}

/** The reset in reply to a segment that belongs to no connection (RFC 9293, section 3.5.2); null for a reset. */
export function refuse(segment: TcpSegment): TcpSegment | null {
  if ((segment.flags & RST) !== 0) return null;
  const acknowledges = (segment.flags & ACK) !== 0;
  return {
    source: segment.destination,
    destination: segment.source,
    sequence: acknowledges ? segment.acknowledgment : 0,
    acknowledgment: acknowledges ? 0 : sequenceAdd(segment.sequence, segmentLength(segment)),
    flags: acknowledges ? RST : RST | ACK,
    window: 0,
    data: new Uint8Array(0),
  };
}

function parseMss(options: Uint8Array): number | null {
  let offset = 0;
  while (offset < options.length) {
    const kind = options[offset];
    if (kind === OPTION_END) break;
    if (kind === OPTION_NOP) {
      offset++;
      continue;
    }
    const length = options[offset + 1] ?? 0;
    if (length < 2) break;
    if (kind === OPTION_MSS && length === 4 && offset + 4 <= options.length)
      return ((options[offset + 2] as number) << 8) | (options[offset + 3] as number); // both in bounds
    offset += length;
  }
  return null;
}
