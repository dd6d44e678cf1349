import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { virtualMac } from "./addresses.ts";
import { buildEthernet, ETHERTYPE_IPV4, parseEthernet } from "./ethernet.ts";
import { forwardToGuest, forwardToHost } from "./host-sockets.ts";
import { buildIpv4, type Ipv4Packet, parseIpv4 } from "./ipv4.ts";
import { Tcp } from "./tcp.ts";
import type { TcpConnection } from "./tcp-connection.ts";
import { address, GUEST, Guest } from "./testing/guest.ts";
import { UserNetwork } from "./user-network.ts";

const MAC = Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56);
const SERVER = { address: address("10.0.2.100"), port: 80 };

/** A guest with a TCP stack: ours, at the other end of the wire. */
function guestWithTcp(network: UserNetwork): Tcp {
  const send = (packet: Ipv4Packet) =>
    network.transmit(
      buildEthernet({
        destination: virtualMac(network.gateway),
        source: MAC,
        type: ETHERTYPE_IPV4,
        payload: buildIpv4(packet, 0),
      }),
    );
  const tcp = new Tcp({ send, hasRoom: true }, 7);
  new Guest(network).announce();
  network.connect({
    receive(frame) {
      const parsed = parseEthernet(frame);
      const packet = parsed?.type === ETHERTYPE_IPV4 ? parseIpv4(parsed.payload) : null;
      if (packet !== null) tcp.receive(packet, false);
      return true;
    },
  });
  return tcp;
}

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

/** A server on the host that echoes what it received, once the client has ended. */
async function echoServer(): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    const parts: Buffer[] = [];
    socket.on("data", (part: Buffer) => parts.push(part));
    socket.on("end", () => socket.end(Buffer.concat(parts)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(server);
  const place = server.address();
  return typeof place === "object" && place !== null ? place.port : 0;
}

const large = Uint8Array.from({ length: 700_000 }, (_, index) => (index * 7) & 0xff);

/** Sends everything as fast as the connection accepts it. */
function sendAll(connection: TcpConnection, bytes: Uint8Array): () => void {
  let sent = 0;
  return () => {
    while (sent < bytes.length) {
      const part = bytes.subarray(sent, sent + 50_000);
      sent += part.length;
      if (!connection.write(part)) return;
    }
    connection.end();
  };
}

describe("forwards", () => {
  test("from guest to host carry everything, to the end", async () => {
    const network = new UserNetwork();
    forwardToHost(network, { server: SERVER, hostPort: await echoServer() });
    const tcp = guestWithTcp(network);
    const parts: Uint8Array[] = [];
    let send = (): void => {};
    const ended = new Promise((close) => {
      const connection = tcp.connect(GUEST, SERVER, {
        drain: () => send(),
        data: (bytes) => parts.push(bytes.slice()),
        close,
      });
      send = sendAll(connection, large);
    });
    send();
    expect(await ended).toBe("finished");
    expect(Buffer.concat(parts).equals(large)).toBe(true);
  });

  test("from guest to a host port without a listener are reset", async () => {
    const network = new UserNetwork();
    forwardToHost(network, { server: SERVER, hostPort: 1 });
    const tcp = guestWithTcp(network);
    expect(await new Promise((close) => tcp.connect(GUEST, SERVER, { close }))).toBe("reset");
  });

  test("from host to guest carry everything, to the end", async () => {
    const network = new UserNetwork();
    const tcp = guestWithTcp(network);
    const parts: Uint8Array[] = [];
    tcp.listen({ address: GUEST, port: 22 }, (connection) => {
      let send = (): void => {};
      return {
        data: (bytes) => parts.push(bytes.slice()),
        drain: () => send(),
        end() {
          send = sendAll(connection, Buffer.concat(parts));
          send();
        },
      };
    });
    const forward = await forwardToGuest(network, { hostPort: 0, guest: { address: 0, port: 22 } });
    open.push(forward);
    const heard: Buffer[] = [];
    const socket = dial({ port: forward.port, host: "127.0.0.1", allowHalfOpen: true });
    const ended = new Promise((resolve) => socket.on("end", resolve));
    socket.on("data", (bytes: Buffer) => heard.push(bytes));
    socket.end(large);
    await ended;
    expect(Buffer.concat(heard).equals(large)).toBe(true);
  });

  test("from host to a port where the guest refuses connections are closed", async () => {
    const network = new UserNetwork();
    guestWithTcp(network);
    const forward = await forwardToGuest(network, { hostPort: 0, guest: { address: GUEST, port: 23 } });
    open.push(forward);
    const socket = dial(forward.port, "127.0.0.1");
    socket.on("error", () => {});
    await new Promise((resolve) => socket.on("close", resolve));
  });

  test("need a free host port", async () => {
    const network = new UserNetwork();
    const hostPort = await echoServer();
    await expect(forwardToGuest(network, { hostPort, guest: { address: 0, port: 22 } })).rejects.toThrow(
      `hostfwd: host port ${hostPort}: already in use; give another port`,
    );
  });
});
