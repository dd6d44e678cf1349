/** TCP: assigns segments to connections, and ports to services. */
import type { Ipv4Packet } from "./ipv4.ts";
import { TcpConnection, type TcpHandler, type TcpLink } from "./tcp-connection.ts";
import { ACK, buildTcp, parseTcp, RST, refuse, SYN, type TcpSegment } from "./tcp-segment.ts";
import type { Endpoint } from "./udp.ts";

/** Serves a port: returns the handler for a connection that the guest requests; null refuses it. */
export type TcpService = (connection: TcpConnection) => TcpHandler | null;

/** What TCP needs from the network below. */
export interface TcpNetwork {
  send(packet: Ipv4Packet): void;
  readonly hasRoom: boolean;
}

/** Maximum number of simultaneous connections; more are refused. */
const MOST_CONNECTIONS = 1024;
/** Maximum number of connections in TIME-WAIT, as there is no clock to end that state. */
const MOST_WAITING = 16;
/** Ports for connections to the guest (RFC 6335). */
const FIRST_EPHEMERAL_PORT = 49_152;
const LAST_EPHEMERAL_PORT = 65_535;

export class Tcp {
  /** State for snapshots, so that sequence numbers are not reused. Connections are lost, see `resets`. */
  static readonly vmFields = { random: "uint32", nextPort: "uint16" } as const;

  private readonly network: TcpNetwork;
  private readonly services = new Map<string, TcpService>();
  private readonly connections = new Map<string, TcpConnection>();
  private readonly waiting: TcpConnection[] = [];
  private random: number;
  private nextPort = FIRST_EPHEMERAL_PORT;
  private readonly link: TcpLink;

  /** @param seed seed of the initial sequence numbers. */
  constructor(network: TcpNetwork, seed: number) {
    this.network = network;
    this.random = (seed ^ 0x9e37_79b9) >>> 0 || 1;
    this.link = {
      send: (segment) => network.send(buildTcp(segment)),
      get hasRoom() {
        return network.hasRoom;
      },
      forget: (connection) => this.forget(connection),
    };
  }

  /** @throws Error when the port already has a service. */
  listen(endpoint: Endpoint, service: TcpService): void {
    const key = endpointKey(endpoint);
    if (this.services.has(key)) throw new Error(`TCP port ${key} is taken; choose another`);
    this.services.set(key, service);
  }

  /** Whether the port has a service. */
  answersFor(endpoint: Endpoint): boolean {
    return this.services.has(endpointKey(endpoint));
  }

  /** Opens a connection to the guest. @throws Error when there are too many. */
  connect(source: number, guest: Endpoint, handler: TcpHandler): TcpConnection {
    const connection = new TcpConnection(
      { address: source, port: this.freePort(source, guest) },
      guest,
      this.link,
      this.initialSequence(),
    );
    this.connections.set(connectionKey(connection.local, connection.remote), connection);
    connection.connect(handler);
    return connection;
  }

  /** @param silent ignore segments that belong to no connection or service, instead of refusing them. */
  receive(packet: Ipv4Packet, silent: boolean): void {
    const segment = parseTcp(packet);
    if (segment === null) return;
    const { source, destination, flags } = segment;
    const connection = this.connections.get(connectionKey(destination, source));
    const opens = (flags & (SYN | ACK | RST)) === SYN;
    if (connection !== undefined && !(opens && connection.state === "time-wait")) {
      connection.receive(segment);
      return;
    }
    if (connection !== undefined) this.drop(connection); // replaced by a new connection
    if (opens && this.accept(segment)) return;
    const refusal = silent ? null : refuse(segment);
    if (refusal !== null) this.network.send(buildTcp(refusal));
  }

  /** Resumes sending, when the network below has room again. */
  resume(): void {
    for (const connection of this.connections.values()) {
      if (!this.network.hasRoom) return;
      connection.resume();
    }
  }

  /**
   * Resets for all connections that the guest may consider open. A connection whose SYN the guest has not answered yet
   * needs none: the answer will be refused.
   */
  resets(): Ipv4Packet[] {
    return [...this.connections.values()]
      .filter(({ state }) => state !== "time-wait" && state !== "syn-sent")
      .map(({ resetSegment }) => buildTcp(resetSegment));
  }

  /** Drops all connections. */
  abortAll(): void {
    for (const connection of [...this.connections.values()]) connection.abort();
    this.connections.clear();
    this.waiting.length = 0;
  }

  private accept(syn: TcpSegment): boolean {
    const { source, destination } = syn;
    const service = this.services.get(endpointKey(destination));
    if (service === undefined || this.connections.size >= MOST_CONNECTIONS) return false;
    const connection = new TcpConnection(destination, source, this.link, this.initialSequence());
    const handler = service(connection);
    if (handler === null) return false;
    this.connections.set(connectionKey(destination, source), connection);
    connection.accept(handler, syn);
    return true;
  }

  private forget(connection: TcpConnection): void {
    if (connection.state !== "time-wait") {
      this.drop(connection);
      return;
    }
    this.waiting.push(connection);
    if (this.waiting.length > MOST_WAITING) this.drop(this.waiting[0] as TcpConnection); // not empty
  }

  private drop(connection: TcpConnection): void {
    this.connections.delete(connectionKey(connection.local, connection.remote));
    const index = this.waiting.indexOf(connection);
    if (index >= 0) this.waiting.splice(index, 1);
  }

  private freePort(source: number, guest: Endpoint): number {
    if (this.connections.size >= MOST_CONNECTIONS)
      throw new Error(`there are ${MOST_CONNECTIONS} TCP connections already; close some`);
    for (;;) {
      const port = this.nextPort;
      this.nextPort = port === LAST_EPHEMERAL_PORT ? FIRST_EPHEMERAL_PORT : port + 1;
      if (!this.connections.has(connectionKey({ address: source, port }, guest))) return port;
    }
  }

  /** Marsaglia's xorshift: numbers need not be hard to guess, but must differ from the previous one. */
  private initialSequence(): number {
    let value = this.random;
    value ^= value << 13;
    value ^= value >>> 17;
    value ^= value << 5;
    this.random = value >>> 0;
    return this.random;
  }
}

function endpointKey({ address, port }: Endpoint): string {
  return `${address}:${port}`;
}

function connectionKey(local: Endpoint, remote: Endpoint): string {
  return `${endpointKey(local)} ${endpointKey(remote)}`;
}
