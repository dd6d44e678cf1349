/** A guest on a user network: sends what a test asks for, and keeps what it receives. */
import { parseAddress, virtualMac } from "../addresses.ts";
import { ARP_REPLY, ARP_REQUEST, type ArpPacket, buildArp, parseArp } from "../arp.ts";
import { buildEthernet, ETHERTYPE_ARP, ETHERTYPE_IPV4, parseEthernet } from "../ethernet.ts";
import { buildIpv4, type Ipv4Packet, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP, parseIpv4 } from "../ipv4.ts";
import { ACK, buildTcp, parseTcp, type TcpSegment } from "../tcp-segment.ts";
import { buildUdp, type Datagram, type Endpoint, parseUdp } from "../udp.ts";
import type { FrameTaker, UserNetwork } from "../user-network.ts";

export const GUEST_MAC: Uint8Array = Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56);

/** An address in dotted notation. */
export function address(text: string): number {
  const parsed = parseAddress(text);
  if (parsed === null) throw new Error(`${text} is not an address`);
  return parsed;
}

export const GATEWAY: number = address("10.0.2.2");
export const GUEST: number = address("10.0.2.15");

export class Guest implements FrameTaker {
  readonly frames: Uint8Array[] = [];
  /** Number of frames that the guest accepts. */
  room = Number.POSITIVE_INFINITY;
  private readonly network: UserNetwork;

  constructor(network: UserNetwork) {
    this.network = network;
    network.connect(this);
  }

  receive(frame: Uint8Array): boolean {
    if (this.frames.length >= this.room) return false;
    this.frames.push(frame);
    return true;
  }

  sendArp(packet: ArpPacket): void {
    const broadcast = new Uint8Array(6).fill(0xff);
    const payload = buildArp(packet);
    this.network.transmit(
      buildEthernet({ destination: broadcast, source: GUEST_MAC, type: ETHERTYPE_ARP, payload }),
    );
  }

  /** Announces the guest's address to the network, as any guest does before it sends. */
  announce(): this {
    this.askWhoHas(GATEWAY);
    this.frames.length = 0;
    return this;
  }

  askWhoHas(targetAddress: number): void {
    this.sendArp({
      operation: ARP_REQUEST,
      senderMac: GUEST_MAC,
      senderAddress: GUEST,
      targetMac: new Uint8Array(6),
      targetAddress,
    });
  }

  /** Answers the network's ARP request for the guest's address. */
  answerArp(): void {
    this.sendArp({
      operation: ARP_REPLY,
      senderMac: GUEST_MAC,
      senderAddress: GUEST,
      targetMac: virtualMac(GATEWAY),
      targetAddress: GATEWAY,
    });
  }

  sendPacket(packet: Ipv4Packet, destination = virtualMac(GATEWAY)): void {
    const payload = buildIpv4(packet, 1);
    this.network.transmit(buildEthernet({ destination, source: GUEST_MAC, type: ETHERTYPE_IPV4, payload }));
  }

  sendIcmp(to: number, payload: Uint8Array): void {
    this.sendPacket({ source: GUEST, destination: to, protocol: PROTOCOL_ICMP, payload });
  }

  sendUdp(to: Endpoint, data: Uint8Array, from: Endpoint = { address: GUEST, port: 5000 }): void {
    this.sendPacket(buildUdp({ source: from, destination: to, data }));
  }

  sendTcp(segment: TcpSegment): void {
    this.sendPacket(buildTcp(segment));
  }

  /** Removes and returns the frames received. */
  take(): Uint8Array[] {
    return this.frames.splice(0);
  }

  takeArp(): ArpPacket[] {
    return this.take().flatMap((frame) => {
      const parsed = parseEthernet(frame);
      const packet = parsed?.type === ETHERTYPE_ARP ? parseArp(parsed.payload) : null;
      return packet === null ? [] : [packet];
    });
  }

  takePackets(protocol: number): Ipv4Packet[] {
    return this.take().flatMap((frame) => {
      const parsed = parseEthernet(frame);
      const packet = parsed?.type === ETHERTYPE_IPV4 ? parseIpv4(parsed.payload) : null;
      return packet === null || packet.protocol !== protocol ? [] : [packet];
    });
  }

  takeUdp(): Datagram[] {
    return this.takePackets(PROTOCOL_UDP).flatMap((packet) => parseUdp(packet) ?? []);
  }

  takeTcp(): TcpSegment[] {
    return this.takePackets(PROTOCOL_TCP).flatMap((packet) => parseTcp(packet) ?? []);
  }
}

/** The guest's end of one TCP connection, driven segment by segment. */
export class GuestTcp {
  readonly guest: Guest;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** The guest's next sequence number, and the next one that it expects. */
  next: number;
  expected = 0;
  window = 65_535;

  constructor(guest: Guest, remote: Endpoint, localPort = 40_000, initial = 1000) {
    this.guest = guest;
    this.remote = remote;
    this.local = { address: GUEST, port: localPort };
    this.next = initial;
  }

  /** Sends a segment at `next` or, with `fields`, elsewhere; does not advance `next`. Returns the replies. */
  send(flags: number, data = "", fields: Partial<TcpSegment> = {}): TcpSegment[] {
    this.guest.sendTcp({
      source: this.local,
      destination: this.remote,
      sequence: this.next,
      acknowledgment: (flags & ACK) !== 0 ? this.expected : 0,
      flags,
      window: this.window,
      data: new TextEncoder().encode(data),
      ...fields,
    });
    return this.guest.takeTcp();
  }
}

export function text(segments: readonly { readonly data: Uint8Array }[]): string {
  return segments.map(({ data }) => new TextDecoder().decode(data)).join("");
}
