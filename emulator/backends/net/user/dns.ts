/** A name server with a table of hosts, and an optional resolver for other names. Source: RFC 1035, RFC 3596. */
import { formatAddress } from "./addresses.ts";

export const DNS_PORT = 53;

const HEADER_BYTES = 12;

const FLAG_RESPONSE = 0x8000;
const FLAG_RECURSION_DESIRED = 0x0100;
const FLAG_RECURSION_AVAILABLE = 0x0080;
const OPCODE = 0x7800;

const NO_ERROR = 0;
const FORMAT_ERROR = 1;
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;
const NOT_IMPLEMENTED = 4;
const REFUSED = 5;

const TYPE_A = 1;
const TYPE_PTR = 12;
const TYPE_ANY = 255;
const CLASS_IN = 1;
const CLASS_ANY = 255;

/** A pointer to the name of the question, which follows the header. */
const POINTER_TO_QUESTION = 0xc000 | HEADER_BYTES;
const TTL_SECONDS = 3600;
const LONGEST_NAME = 255;
const LONGEST_LABEL = 63;
/** Longest response in a datagram without extensions. */
const LONGEST_MESSAGE = 512;

/**
 * Returns the IPv4 addresses of a name, given in lower case without a trailing dot; null if there is no such name. If
 * the resolver throws, the server reports a failure.
 */
export type Resolver = (name: string) => readonly number[] | null;

export interface DnsConfiguration {
  /** Addresses by name; names are in lower case. */
  readonly hosts?: ReadonlyMap<string, readonly number[]>;
  /** Resolves names that are not in the table. */
  readonly resolve?: Resolver;
}

interface Question {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Offset of the first byte after the question. */
  readonly end: number;
}

export class DnsServer {
  private readonly hosts: ReadonlyMap<string, readonly number[]>;
  private readonly names = new Map<string, string>();
  private readonly resolve: Resolver;

  constructor({ hosts = new Map(), resolve = () => null }: DnsConfiguration) {
    this.hosts = hosts;
    this.resolve = resolve;
    for (const [name, addresses] of hosts)
      for (const address of addresses) this.names.set(reverseName(address), name);
  }

  /** Null if the message cannot be answered. */
  answer(query: Uint8Array): Uint8Array | null {
    if (query.length < HEADER_BYTES) return null;
    const view = new DataView(query.buffer, query.byteOffset, query.length);
    const flags = view.getUint16(2);
    if ((flags & FLAG_RESPONSE) !== 0) return null;
    if ((flags & OPCODE) !== 0) return reply(query, HEADER_BYTES, NOT_IMPLEMENTED, []);
    const question = view.getUint16(4) === 1 ? parseQuestion(query, view) : null;
    if (question === null) return reply(query, HEADER_BYTES, FORMAT_ERROR, []);
    const { end } = question;
    if (question.class !== CLASS_IN && question.class !== CLASS_ANY) return reply(query, end, REFUSED, []);
    if (question.type === TYPE_PTR && question.name.endsWith(".in-addr.arpa")) {
      const name = this.names.get(question.name);
      return name === undefined
        ? reply(query, end, NO_SUCH_NAME, [])
        : reply(query, end, NO_ERROR, [record(TYPE_PTR, encodeName(name))]);
    }
    let addresses: readonly number[] | null;
    try {
      addresses = this.hosts.get(question.name) ?? this.resolve(question.name);
    } catch {
      return reply(query, end, SERVER_FAILURE, []);
    }
    if (addresses === null) return reply(query, end, NO_SUCH_NAME, []);
    const asked = question.type === TYPE_A || question.type === TYPE_ANY;
    const records = asked ? addresses.map((address) => record(TYPE_A, wordBytes(address))) : [];
    return reply(query, end, NO_ERROR, records);
  }
}

/** A name in canonical form for comparison: in lower case, without a trailing dot. */
export function normalizeName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/** Whether DNS can represent the name: labels of 1 to 63 bytes, at most 253 in total. */
export function isDomainName(name: string): boolean {
  const labels = name.split(".");
  return name.length <= LONGEST_NAME - 2 && labels.every((label) => /^[\x21-\x7e]{1,63}$/.test(label));
}

function parseQuestion(query: Uint8Array, view: DataView): Question | null {
  const labels: string[] = [];
  let offset = HEADER_BYTES;
  for (;;) {
    const length = query[offset++];
    if (length === undefined || length > LONGEST_LABEL) return null; // pointers are not allowed in a question
    if (length === 0) break;
    if (offset + length > query.length || offset + length - HEADER_BYTES >= LONGEST_NAME) return null;
    labels.push(String.fromCharCode(...query.subarray(offset, offset + length)));
    offset += length;
  }
  if (offset + 4 > query.length) return null;
  return {
    name: normalizeName(labels.join(".")),
    type: view.getUint16(offset),
    class: view.getUint16(offset + 2),
    end: offset + 4,
  };
}

/** Repeats the query up to the end of its question, and adds as many records as fit. */
function reply(query: Uint8Array, end: number, code: number, records: readonly Uint8Array[]): Uint8Array {
  const fitting: Uint8Array[] = [];
  let length = end;
  for (const each of records) {
    if (length + each.length > LONGEST_MESSAGE) break;
    fitting.push(each);
    length += each.length;
  }
  const message = new Uint8Array(length);
  message.set(query.subarray(0, end));
  const view = new DataView(message.buffer);
  const kept = view.getUint16(2) & (OPCODE | FLAG_RECURSION_DESIRED);
  view.setUint16(2, FLAG_RESPONSE | kept | FLAG_RECURSION_AVAILABLE | code);
  view.setUint16(4, end > HEADER_BYTES ? 1 : 0);
  view.setUint16(6, fitting.length);
  view.setUint32(8, 0); // no authority or additional records
  let offset = end;
  for (const each of fitting) {
    message.set(each, offset);
    offset += each.length;
  }
  return message;
}

function record(type: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, POINTER_TO_QUESTION);
  view.setUint16(2, type);
  view.setUint16(4, CLASS_IN);
  view.setUint32(6, TTL_SECONDS);
  view.setUint16(10, data.length);
  bytes.set(data, 12);
  return bytes;
}

function encodeName(name: string): Uint8Array {
  const labels = name.split(".").map((label) => new TextEncoder().encode(label));
  return Uint8Array.from([...labels.flatMap((label) => [label.length, ...label]), 0]);
}

function wordBytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

/** The name to query for the name of an address. */
function reverseName(address: number): string {
  return `${formatAddress(address).split(".").reverse().join(".")}.in-addr.arpa`;
}
