/** ICMP: echo and destination unreachable. Source: RFC 792, RFC 1122. */
import { checksum } from "./checksum.ts";
import type { ReceivedIpv4Packet } from "./ipv4.ts";

const ECHO_REPLY = 0;
const DESTINATION_UNREACHABLE = 3;
const ECHO_REQUEST = 8;

const HEADER_BYTES = 8;
/** Bytes of the original packet's payload that a message quotes: enough for the ports. */
const QUOTED_BYTES = 8;

/** Codes of destination unreachable messages. */
export const UNREACHABLE_HOST = 1;
export const UNREACHABLE_PROTOCOL = 2;
export const UNREACHABLE_PORT = 3;

/** The reply to an echo request; null if the message is not one, or is corrupt. */
export function answerEcho(message: Uint8Array): Uint8Array | null {
  if (message.length < HEADER_BYTES || message[0] !== ECHO_REQUEST || message[1] !== 0) return null;
  if (checksum(message) !== 0) return null;
  const reply = message.slice();
  reply[0] = ECHO_REPLY;
  return withChecksum(reply);
}

/** A message that tells the sender of `packet` that it could not be delivered. */
export function buildUnreachable(code: number, packet: ReceivedIpv4Packet): Uint8Array {
  const quote = packet.whole.subarray(0, packet.headerBytes + QUOTED_BYTES);
  const message = new Uint8Array(HEADER_BYTES + quote.length);
  message[0] = DESTINATION_UNREACHABLE;
  message[1] = code;
  message.set(quote, HEADER_BYTES);
  return withChecksum(message);
}

function withChecksum(message: Uint8Array): Uint8Array {
  message[2] = 0;
  message[3] = 0;
  const sum = checksum(message);
  message[2] = sum >>> 8;
  message[3] = sum & 0xff;
  return message;
}
