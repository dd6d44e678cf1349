/** Ethernet II frames, without the frame check sequence. Source: RFC 894, IEEE 802.3. */

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;

const HEADER_BYTES = 14;
/** Largest payload of a frame, in bytes. */
export const ETHERNET_MTU = 1500;

export interface EthernetFrame {
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly type: number;
  /** May be longer than the packet that it carries, because short frames are padded. */
  readonly payload: Uint8Array;
}

/** Null if the frame is too short. */
export function parseEthernet(frame: Uint8Array): EthernetFrame | null {
  if (frame.length < HEADER_BYTES) return null;
  return {
    destination: frame.subarray(0, 6),
    source: frame.subarray(6, 12),
    type: ((frame[12] as number) << 8) | (frame[13] as number), // both in bounds
    payload: frame.subarray(HEADER_BYTES),
  };
}

export function buildEthernet({ destination, source, type, payload }: EthernetFrame): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  frame.set(destination, 0);
  frame.set(source, 6);
  frame[12] = type >>> 8;
  frame[13] = type & 0xff;
  frame.set(payload, HEADER_BYTES);
  return frame;
}
