/** Address resolution for IPv4 over Ethernet. Source: RFC 826. */

export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

const PACKET_BYTES = 28;
/** Hardware type Ethernet, protocol IPv4, and the lengths of their addresses. */
const PREAMBLE = [0, 1, 8, 0, 6, 4] as const;

export interface ArpPacket {
  readonly operation: number;
  readonly senderMac: Uint8Array;
  readonly senderAddress: number;
  readonly targetMac: Uint8Array;
  readonly targetAddress: number;
}

/** Null if the packet is too short, or for other kinds of addresses. */
export function parseArp(bytes: Uint8Array): ArpPacket | null {
  if (bytes.length < PACKET_BYTES || PREAMBLE.some((byte, index) => bytes[index] !== byte)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, PACKET_BYTES);
  return {
    operation: view.getUint16(6),
    senderMac: bytes.slice(8, 14),
    senderAddress: view.getUint32(14),
    targetMac: bytes.slice(18, 24),
    targetAddress: view.getUint32(24),
  };
}

export function buildArp(packet: ArpPacket): Uint8Array {
  const bytes = new Uint8Array(PACKET_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(PREAMBLE);
  view.setUint16(6, packet.operation);
  bytes.set(packet.senderMac, 8);
  view.setUint32(14, packet.senderAddress);
  bytes.set(packet.targetMac, 18);
  view.setUint32(24, packet.targetAddress);
  return bytes;
}
