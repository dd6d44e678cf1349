/**
 * A network of one guest and some virtual hosts within the process: a gateway that answers ARP, ping and DHCP, a name
 * server, and any services that are added. Nothing in it depends on time or chance, so that runs repeat exactly.
 * Addresses and behaviour are those of QEMU's user-mode network.
 */
import {
  addressAt,
  BROADCAST_ADDRESS,
  BROADCAST_MAC,
  formatAddress,
  isForMany,
  isInside,
  macBytes,
  macNumber,
  type Subnet,
  sameMac,
  virtualMac,
} from "./addresses.ts";
import { ARP_REPLY, ARP_REQUEST, type ArpPacket, buildArp, parseArp } from "./arp.ts";
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, DhcpServer } from "./dhcp.ts";
import { DNS_PORT, DnsServer, type Resolver } from "./dns.ts";
import { buildEthernet, ETHERNET_MTU, ETHERTYPE_ARP, ETHERTYPE_IPV4, parseEthernet } from "./ethernet.ts";
import {
  answerEcho,
  buildUnreachable,
  UNREACHABLE_HOST,
  UNREACHABLE_PORT,
  UNREACHABLE_PROTOCOL,
} from "./icmp.ts";
import {
  buildIpv4,
  IPV4_HEADER_BYTES,
  type Ipv4Packet,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  parseIpv4,
  type ReceivedIpv4Packet,
} from "./ipv4.ts";
import { Tcp, type TcpService } from "./tcp.ts";
import type { TcpConnection, TcpHandler } from "./tcp-connection.ts";
import { buildUdp, type Datagram, type Endpoint, parseUdp } from "./udp.ts";

/** The guest's network card, as the network sees it. */
export interface FrameTaker {
  /** Takes ownership of a frame; false if it has no room, in which case it calls `acceptInput` once it has. */
  receive(frame: Uint8Array): boolean;
}

/** Handles datagrams to a port; each call of `reply` sends one back. */
export type UdpService = (data: Uint8Array, reply: (data: Uint8Array) => void, from: Endpoint) => void;

export interface UserNetworkOptions {
  /** Default 10.0.2.0/24. */
  readonly net?: Subnet;
  /** The gateway, which is also the DHCP server; default: second address of the subnet. */
  readonly host?: number;
  /** The name server; default: third address. */
  readonly dns?: number;
  /** Address of the first DHCP client; default: fifteenth address. */
  readonly dhcpStart?: number;
  /** The guest's host name, sent by DHCP. */
  readonly hostname?: string;
  readonly domainName?: string;
  readonly dnsSearch?: readonly string[];
  /** Whether the guest can reach only services that were added, and is told of no route out. Default false. */
  readonly restrict?: boolean;
  /** Addresses by name; names are in lower case. */
  readonly hosts?: ReadonlyMap<string, readonly number[]>;
  /** Resolves names that are not in `hosts`. */
  readonly resolve?: Resolver;
  /** Seed of TCP sequence numbers; default 0. */
  readonly seed?: number;
}

export const DEFAULT_SUBNET: Subnet = { address: 0x0a00_0200, prefix: 24 };

/** Numbers of frames queued for the guest at which TCP stops sending data, and at which frames are dropped. */
const QUEUE_FOR_DATA = 512;
const QUEUE_AT_MOST = 2048;
/** Maximum number of packets waiting for address resolution. */
const UNRESOLVED_AT_MOST = 16;
/** Maximum number of hosts of the subnet whose MAC addresses are remembered. */
const NEIGHBOURS_AT_MOST = 256;

export class UserNetwork {
  /**
   * State for snapshots: the ARP and DHCP tables and packets in flight. Peers of TCP connections are outside the
   * machine, so connections are not kept; a restored guest gets resets for them.
   */
  readonly vmState = {
    name: "user-network",
    version: 1,
    fields: {
      identification: "int",
      neighbourTable: "list",
      unresolvedPackets: "blobs",
      toGuest: "blobs",
      connectionResets: "blobs",
      dhcp: DhcpServer.vmFields,
      tcp: Tcp.vmFields,
    },
    postLoad: (network: UserNetwork) => network.resetConnections(),
  } as const;

  readonly subnet: Subnet;
  readonly gateway: number;
  readonly nameServer: number;
  /** Address that the first DHCP client gets. */
  readonly guest: number;
  private readonly restrict: boolean;
  private readonly dhcp: DhcpServer;
  private readonly dns: DnsServer;
  private readonly tcp: Tcp;
  private readonly udpServices = new Map<string, UdpService>();
  /** Addresses of virtual hosts. */
  private readonly hosts: Set<number>;
  private readonly neighbours = new Map<number, Uint8Array>();
  private unresolved: Ipv4Packet[] = [];
  /** Packets that reset the connections of the saved machine. */
  private lost: Ipv4Packet[] = [];
  private taker: FrameTaker | null = null;
  private toGuest: Uint8Array[] = [];
  private readonly fromGuest: Uint8Array[] = [];
  private handling = false;
  private delivering = false;
  private identification = 0;

  constructor(options: UserNetworkOptions = {}) {
    this.subnet = options.net ?? DEFAULT_SUBNET;
    this.gateway = options.host ?? addressAt(this.subnet, 2);
    this.nameServer = options.dns ?? addressAt(this.subnet, 3);
    this.guest = options.dhcpStart ?? addressAt(this.subnet, 15);
    this.restrict = options.restrict ?? false;
    this.hosts = new Set([this.gateway, this.nameServer]);
    const { hostname, domainName, dnsSearch, hosts, resolve } = options;
    this.dhcp = new DhcpServer({
      subnet: this.subnet,
      server: this.gateway,
      first: this.guest,
      ...(this.restrict ? {} : { router: this.gateway, dns: this.nameServer }),
      ...(hostname === undefined ? {} : { hostname }),
      ...(domainName === undefined ? {} : { domainName }),
      ...(dnsSearch === undefined ? {} : { dnsSearch }),
    });
    this.dns = new DnsServer({
      ...(hosts === undefined ? {} : { hosts }),
      ...(resolve === undefined ? {} : { resolve }),
    });
    const network = this;
    this.tcp = new Tcp(
      {
        send: (packet) => this.sendPacket(packet),
        get hasRoom() {
          return network.toGuest.length < QUEUE_FOR_DATA;
        },
      },
      options.seed ?? 0,
    );
  }

  /** Connects the guest's network card; null disconnects it and drops the frames waiting for it. */
  connect(taker: FrameTaker | null): void {
    this.taker = taker;
    if (taker === null) this.toGuest.length = 0;
    this.deliver();
    this.tcp.resume();
  }

  /**
   * Adds a server. An address in the subnet appears as a host of its own; other addresses are reached through the
   * gateway.
   * @throws Error when the port is taken.
   */
  listenTcp(endpoint: Endpoint, service: TcpService): void {
    this.tcp.listen(endpoint, service);
    this.hosts.add(endpoint.address);
  }

  /** As `listenTcp`, for datagrams. @throws Error when the port is taken. */
  listenUdp(endpoint: Endpoint, service: UdpService): void {
    const key = `${endpoint.address}:${endpoint.port}`;
    if (this.udpServices.has(key) || this.isOwnPort(endpoint)) {
      throw new Error(
        `UDP port ${formatAddress(endpoint.address)}:${endpoint.port} is taken; choose another`,
      );
    }
    this.udpServices.set(key, service);
    this.hosts.add(endpoint.address);
  }

  /** Opens a connection from the gateway to a port of the guest. @throws Error when there are too many. */
  connectTcp(guest: Endpoint, handler: TcpHandler): TcpConnection {
    return this.tcp.connect(this.gateway, guest, handler);
  }

  /** Aborts all connections and disconnects the guest. */
  close(): void {
    this.tcp.abortAll();
    this.connect(null);
  }

  /** Takes a frame from the guest; any bytes are accepted. */
  transmit(frame: Uint8Array): void {
    this.fromGuest.push(frame);
    if (this.handling) return; // sent while another frame is handled: queued
    this.handling = true;
    try {
      for (let next = this.fromGuest.shift(); next !== undefined; next = this.fromGuest.shift())
        this.receiveFrame(next);
    } finally {
      this.handling = false;
    }
    this.deliver();
  }

  /** Delivers frames, now that the guest has room again. */
  acceptInput(): void {
    this.deliver();
  }

  /** MAC addresses of the subnet's hosts, as pairs of numbers: IPv4 and MAC. */
  get neighbourTable(): readonly number[] {
    return [...this.neighbours].flatMap(([address, mac]) => [address, macNumber(mac)]);
  }

  set neighbourTable(table: readonly number[]) {
    this.neighbours.clear();
    for (let index = 0; index + 1 < table.length; index += 2)
      this.neighbours.set(table[index] ?? 0, macBytes(table[index + 1] ?? 0));
  }

  get unresolvedPackets(): readonly Uint8Array[] {
    return packed(this.unresolved);
  }

  set unresolvedPackets(packets: readonly Uint8Array[]) {
    this.unresolved = unpacked(packets);
  }

  get connectionResets(): readonly Uint8Array[] {
    return packed(this.tcp.resets());
  }

  set connectionResets(packets: readonly Uint8Array[]) {
    this.lost = unpacked(packets);
  }

  private resetConnections(): void {
    for (const packet of this.lost.splice(0)) this.sendPacket(packet);
  }

  private deliver(): void {
    if (this.delivering || this.handling) return;
    this.delivering = true;
    try {
      for (;;) {
        const [frame] = this.toGuest;
        if (frame === undefined || this.taker === null || !this.taker.receive(frame)) return;
        this.toGuest.shift();
        if (this.toGuest.length === QUEUE_FOR_DATA / 2) this.tcp.resume();
      }
    } finally {
      this.delivering = false;
    }
  }

  private receiveFrame(bytes: Uint8Array): void {
    const frame = parseEthernet(bytes);
    if (frame === null) return;
    if (frame.type === ETHERTYPE_ARP) {
      const packet = parseArp(frame.payload);
      if (packet !== null) this.receiveArp(packet);
    } else if (frame.type === ETHERTYPE_IPV4) {
      const packet = parseIpv4(frame.payload);
      if (packet === null || packet.fragment || !this.isForUs(frame.destination, packet)) return;
      this.learn(packet.source, frame.source);
      this.receivePacket(packet);
    }
  }

  private isForUs(mac: Uint8Array, { destination }: Ipv4Packet): boolean {
    if (sameMac(mac, BROADCAST_MAC) || sameMac(mac, virtualMac(this.gateway))) return true;
    return this.hosts.has(destination) && sameMac(mac, virtualMac(destination));
  }

  private receiveArp(packet: ArpPacket): void {
    this.learn(packet.senderAddress, packet.senderMac);
    if (packet.operation !== ARP_REQUEST || !this.answersArp(packet.targetAddress)) return;
    if (packet.senderAddress === packet.targetAddress) return; // an announcement
    const mac = virtualMac(packet.targetAddress);
    const reply = {
      operation: ARP_REPLY,
      senderMac: mac,
      senderAddress: packet.targetAddress,
      targetMac: packet.senderMac,
      targetAddress: packet.senderAddress,
    };
    this.sendFrame(packet.senderMac, mac, ETHERTYPE_ARP, buildArp(reply));
  }

  private answersArp(address: number): boolean {
    return this.hosts.has(address) && isInside(this.subnet, address);
  }

  /** Records the MAC address of a host, and sends the packets that waited for it. */
  private learn(address: number, mac: Uint8Array): void {
    if (!isInside(this.subnet, address) || isForMany(this.subnet, address) || this.hosts.has(address)) return;
    if (((mac[0] ?? 1) & 1) !== 0) return; // a group address
    if (!this.neighbours.has(address) && this.neighbours.size >= NEIGHBOURS_AT_MOST) return;
    this.neighbours.set(address, mac.slice());
    const waiting = this.unresolved.filter(({ destination }) => destination === address);
    if (waiting.length === 0) return;
    this.unresolved = this.unresolved.filter(({ destination }) => destination !== address);
    for (const packet of waiting) this.sendPacket(packet);
  }

  private receivePacket(packet: ReceivedIpv4Packet): void {
    switch (packet.protocol) {
      case PROTOCOL_ICMP:
        this.receiveIcmp(packet);
        break;
      case PROTOCOL_UDP: {
        const datagram = parseUdp(packet);
        if (datagram !== null) this.receiveDatagram(datagram, packet);
        break;
      }
      case PROTOCOL_TCP:
        if (!this.concernsMany(packet)) this.tcp.receive(packet, this.restrict);
        break;
      default:
        this.refuse(UNREACHABLE_PROTOCOL, packet);
    }
  }

  private receiveIcmp(packet: ReceivedIpv4Packet): void {
    if (!this.hosts.has(packet.destination)) {
      if (packet.payload[0] === ICMP_ECHO_REQUEST) this.refuse(UNREACHABLE_HOST, packet);
      return;
    }
    const payload = answerEcho(packet.payload);
    if (payload === null || this.concernsMany(packet)) return;
    const { source, destination } = packet;
    this.sendPacket({ source: destination, destination: source, protocol: PROTOCOL_ICMP, payload });
  }

  private receiveDatagram({ source, destination, data }: Datagram, packet: ReceivedIpv4Packet): void {
    const { address, port } = destination;
    if (port === DHCP_SERVER_PORT && (address === BROADCAST_ADDRESS || address === this.gateway)) {
      this.answerDhcp(data);
      return;
    }
    if (this.concernsMany(packet)) return;
    const reply = (answer: Uint8Array): void => {
      if (answer.length <= LONGEST_DATAGRAM)
        this.sendPacket(buildUdp({ source: destination, destination: source, data: answer }));
    };
    if (address === this.nameServer && port === DNS_PORT && !this.restrict) {
      const answer = this.dns.answer(data);
      if (answer !== null) reply(answer);
      return;
    }
    const service = this.udpServices.get(`${address}:${port}`);
    if (service !== undefined) service(data, reply, source);
    else this.refuse(this.hosts.has(address) ? UNREACHABLE_PORT : UNREACHABLE_HOST, packet);
  }

  private answerDhcp(message: Uint8Array): void {
    const reply = this.dhcp.answer(message);
    if (reply === null) return;
    const packet = buildUdp({
      source: { address: this.gateway, port: DHCP_SERVER_PORT },
      destination: { address: reply.address, port: DHCP_CLIENT_PORT },
      data: reply.message,
    });
    this.sendTo(reply.mac, packet);
  }

  /** Whether source or destination is not a single host: there must be no reply then (RFC 1122, section 3.2.2). */
  private concernsMany({ source, destination }: Ipv4Packet): boolean {
    return isForMany(this.subnet, source) || isForMany(this.subnet, destination);
  }

  private refuse(code: number, packet: ReceivedIpv4Packet): void {
    if (this.restrict || this.concernsMany(packet)) return;
    const payload = buildUnreachable(code, packet);
    const source = code === UNREACHABLE_HOST ? this.gateway : packet.destination;
    this.sendPacket({ source, destination: packet.source, protocol: PROTOCOL_ICMP, payload });
  }

  private isOwnPort({ address, port }: Endpoint): boolean {
    return (
      (address === this.gateway && port === DHCP_SERVER_PORT) ||
      (address === this.nameServer && port === DNS_PORT)
    );
  }

  /** Sends a packet to a host of the subnet, after resolving its MAC address if necessary. */
  private sendPacket(packet: Ipv4Packet): void {
    const mac = this.neighbours.get(packet.destination);
    if (mac !== undefined) {
      this.sendTo(mac, packet);
      return;
    }
    if (!isInside(this.subnet, packet.destination)) return;
    if (this.unresolved.length === UNRESOLVED_AT_MOST) this.unresolved.shift();
    this.unresolved.push(packet);
    const own = virtualMac(this.gateway);
    const request = {
      operation: ARP_REQUEST,
      senderMac: own,
      senderAddress: this.gateway,
      targetMac: new Uint8Array(6),
      targetAddress: packet.destination,
    };
    this.sendFrame(BROADCAST_MAC, own, ETHERTYPE_ARP, buildArp(request));
  }

  private sendTo(mac: Uint8Array, packet: Ipv4Packet): void {
    const bytes = buildIpv4(packet, this.identification++);
    const host = isInside(this.subnet, packet.source) ? packet.source : this.gateway;
    this.sendFrame(mac, virtualMac(host), ETHERTYPE_IPV4, bytes);
  }

  private sendFrame(destination: Uint8Array, source: Uint8Array, type: number, payload: Uint8Array): void {
    if (this.taker === null || this.toGuest.length >= QUEUE_AT_MOST) return;
    this.toGuest.push(buildEthernet({ destination, source, type, payload }));
    this.deliver();
  }
}

/** Packets in the form kept in snapshots. */
function packed(packets: readonly Ipv4Packet[]): Uint8Array[] {
  return packets.map((packet) => buildIpv4(packet, 0));
}

function unpacked(packets: readonly Uint8Array[]): Ipv4Packet[] {
  return packets.flatMap((bytes) => parseIpv4(bytes) ?? []);
}

const ICMP_ECHO_REQUEST = 8;
/** Maximum data of an unfragmented datagram, in bytes. */
const LONGEST_DATAGRAM = ETHERNET_MTU - IPV4_HEADER_BYTES - 8;
