/** A DHCP server that gives each client the next address, permanently. Source: RFC 2131, RFC 2132, RFC 3397. */
import {
  BROADCAST_ADDRESS,
  BROADCAST_MAC,
  isForMany,
  isInside,
  macNumber,
  netmask,
  type Subnet,
} from "./addresses.ts";

export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;

const BOOT_REQUEST = 1;
const BOOT_REPLY = 2;

/** Field offsets in a message. */
const OP = 0;
const HARDWARE_TYPE = 1;
const HARDWARE_LENGTH = 2;
const TRANSACTION = 4;
const FLAGS = 10;
const CLIENT_ADDRESS = 12;
const YOUR_ADDRESS = 16;
const SERVER_ADDRESS = 20;
const HARDWARE_ADDRESS = 28;
const MAGIC = 236;
const OPTIONS = 240;
/** Shortest message that old clients accept (RFC 1542, section 2.1). */
const LEAST_BYTES = 300;

const MAGIC_COOKIE = 0x6382_5363;
const ETHERNET = 1;
const FLAG_BROADCAST = 0x8000;

const OPTION_PAD = 0;
const OPTION_SUBNET_MASK = 1;
const OPTION_ROUTER = 3;
const OPTION_DNS = 6;
const OPTION_HOST_NAME = 12;
const OPTION_DOMAIN_NAME = 15;
const OPTION_REQUESTED_ADDRESS = 50;
const OPTION_LEASE_TIME = 51;
const OPTION_MESSAGE_TYPE = 53;
const OPTION_SERVER = 54;
const OPTION_DOMAIN_SEARCH = 119;
const OPTION_END = 255;

export const DHCP_DISCOVER = 1;
export const DHCP_OFFER = 2;
export const DHCP_REQUEST = 3;
export const DHCP_DECLINE = 4;
export const DHCP_ACK = 5;
export const DHCP_NAK = 6;
export const DHCP_RELEASE = 7;
export const DHCP_INFORM = 8;

/** One day, in seconds. Never enforced: addresses are not given to other clients. */
const LEASE_SECONDS = 86_400;
/** Maximum number of clients that get an address. */
const MOST_CLIENTS = 16;

export interface DhcpConfiguration {
  readonly subnet: Subnet;
  /** The server's own address. */
  readonly server: number;
  /** Address of the first client; the others get the following addresses. */
  readonly first: number;
  /** If absent, clients are told of no route out of the subnet. */
  readonly router?: number;
  readonly dns?: number;
  readonly hostname?: string;
  readonly domainName?: string;
  readonly dnsSearch?: readonly string[];
}

/** Marks the address of a client that declined it. */
const NO_CLIENT = -1;

/** A reply and its destination. */
export interface DhcpReply {
  readonly mac: Uint8Array;
  readonly address: number;
  readonly message: Uint8Array;
}

export class DhcpServer {
  /** State for snapshots. */
  static readonly vmFields = { clients: "list" } as const;

  private readonly configuration: DhcpConfiguration;
  /** MAC addresses, as numbers, of the clients that got an address, in the order of the pool. */
  private readonly clients: number[] = [];
  private readonly pool: readonly number[];

  constructor(configuration: DhcpConfiguration) {
    this.configuration = configuration;
    this.pool = poolOf(configuration);
  }

  /** Null if there is no reply, as to any message that is not a valid request. */
  answer(message: Uint8Array): DhcpReply | null {
    if (message.length < OPTIONS) return null;
    const view = new DataView(message.buffer, message.byteOffset, message.length);
    if (view.getUint8(OP) !== BOOT_REQUEST || view.getUint32(MAGIC) !== MAGIC_COOKIE) return null;
    if (view.getUint8(HARDWARE_TYPE) !== ETHERNET || view.getUint8(HARDWARE_LENGTH) !== 6) return null;
    const options = parseOptions(message.subarray(OPTIONS));
    const server = addressOption(options, OPTION_SERVER);
    if (server !== null && server !== this.configuration.server) return null; // meant for another server
    const mac = message.slice(HARDWARE_ADDRESS, HARDWARE_ADDRESS + 6);
    const client = macNumber(mac);
    const current = view.getUint32(CLIENT_ADDRESS);
    switch (options.get(OPTION_MESSAGE_TYPE)?.[0]) {
      case DHCP_DISCOVER: {
        const offer = this.addressOf(client);
        return offer === null ? null : this.reply(DHCP_OFFER, message, mac, offer);
      }
      case DHCP_REQUEST: {
        const wanted = addressOption(options, OPTION_REQUESTED_ADDRESS) ?? current;
        const given = this.addressOf(client);
        if (given !== null && wanted === given) return this.reply(DHCP_ACK, message, mac, given);
        return this.reply(DHCP_NAK, message, mac, 0);
      }
      case DHCP_INFORM:
        return this.reply(DHCP_ACK, message, mac, 0);
      case DHCP_DECLINE: {
        const place = this.clients.indexOf(client);
        if (place >= 0) this.clients[place] = NO_CLIENT; // another host uses the address
        return null;
      }
      default:
        return null; // a released address remains the client's
    }
  }

  /** The client's address, allocated now if it has none; null if there are no more. */
  private addressOf(client: number): number | null {
    let place = this.clients.indexOf(client);
    if (place < 0 && this.clients.length < this.pool.length) place = this.clients.push(client) - 1;
    return this.pool[place] ?? null;
  }

  /** @param given the client's address; 0 if none. */
  private reply(type: number, request: Uint8Array, mac: Uint8Array, given: number): DhcpReply {
    const { configuration } = this;
    const asked = new DataView(request.buffer, request.byteOffset, request.length);
    const current = asked.getUint32(CLIENT_ADDRESS);
    const head = new Uint8Array(OPTIONS);
    const view = new DataView(head.buffer);
    view.setUint8(OP, BOOT_REPLY);
    view.setUint8(HARDWARE_TYPE, ETHERNET);
    view.setUint8(HARDWARE_LENGTH, 6);
    view.setUint32(TRANSACTION, asked.getUint32(TRANSACTION));
    view.setUint16(FLAGS, asked.getUint16(FLAGS));
    if (type === DHCP_ACK) view.setUint32(CLIENT_ADDRESS, current);
    view.setUint32(YOUR_ADDRESS, given);
    if (type !== DHCP_NAK) view.setUint32(SERVER_ADDRESS, configuration.server);
    head.set(mac, HARDWARE_ADDRESS);
    view.setUint32(MAGIC, MAGIC_COOKIE);

    const tail: number[] = [];
    const add = (option: number, bytes: ArrayLike<number>): void => {
      if (bytes.length > 0 && bytes.length <= 255) tail.push(option, bytes.length, ...Array.from(bytes));
    };
    add(OPTION_MESSAGE_TYPE, [type]);
    add(OPTION_SERVER, word(configuration.server));
    if (type !== DHCP_NAK) {
      const { router, dns, hostname, domainName, dnsSearch } = configuration;
      if (given !== 0) add(OPTION_LEASE_TIME, word(LEASE_SECONDS));
      add(OPTION_SUBNET_MASK, word(netmask(configuration.subnet.prefix)));
      if (router !== undefined) add(OPTION_ROUTER, word(router));
      if (dns !== undefined) add(OPTION_DNS, word(dns));
      if (hostname !== undefined) add(OPTION_HOST_NAME, new TextEncoder().encode(hostname));
      if (domainName !== undefined) add(OPTION_DOMAIN_NAME, new TextEncoder().encode(domainName));
      if (dnsSearch !== undefined) add(OPTION_DOMAIN_SEARCH, dnsSearch.flatMap(labels));
    }
    tail.push(OPTION_END);

    const message = new Uint8Array(Math.max(OPTIONS + tail.length, LEAST_BYTES));
    message.set(head);
    message.set(tail, OPTIONS);
    return { message, ...this.whereTo(type, mac, given, current, asked.getUint16(FLAGS)) };
  }

  /** RFC 2131, section 4.1: a client that cannot receive unicast before it has an address sets a flag. */
  private whereTo(
    type: number,
    mac: Uint8Array,
    given: number,
    current: number,
    flags: number,
  ): Pick<DhcpReply, "mac" | "address"> {
    if (type === DHCP_NAK) return { mac: BROADCAST_MAC, address: BROADCAST_ADDRESS };
    if (current !== 0) return { mac, address: current };
    if ((flags & FLAG_BROADCAST) !== 0 || given === 0)
      return { mac: BROADCAST_MAC, address: BROADCAST_ADDRESS };
    return { mac, address: given };
  }
}

/** The addresses to hand out: those from the first one on that no virtual host uses. */
function poolOf({ subnet, server, first, router, dns }: DhcpConfiguration): number[] {
  const candidates = Array.from({ length: MOST_CLIENTS }, (_, place) => (first + place) >>> 0);
  const taken = [server, router, dns];
  return candidates.filter(
    (each) => isInside(subnet, each) && !isForMany(subnet, each) && !taken.includes(each),
  );
}

function parseOptions(bytes: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  let offset = 0;
  while (offset < bytes.length) {
    const option = bytes[offset++] as number; // in bounds
    if (option === OPTION_END) break;
    if (option === OPTION_PAD) continue;
    const length = bytes[offset++] ?? 0;
    options.set(option, bytes.subarray(offset, offset + length));
    offset += length;
  }
  return options;
}

function addressOption(options: ReadonlyMap<number, Uint8Array>, option: number): number | null {
  const bytes = options.get(option);
  if (bytes === undefined || bytes.length !== 4) return null;
  return bytes.reduce((address, byte) => address * 256 + byte, 0);
}

function word(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** A domain in DNS wire format. */
function labels(domain: string): number[] {
  const parts = domain.split(".").filter((label) => label !== "");
  return [...parts.flatMap((label) => [label.length, ...new TextEncoder().encode(label)]), 0];
}
