/** The state that a network keeps when its machine moves, and what it tells the guest about what is lost. */
import { describe, expect, test } from "vitest";
import { move } from "../../testing/move.ts";
import { ACK, PSH, RST, SYN } from "./tcp-segment.ts";
import { address, GATEWAY, GUEST, Guest, GuestTcp, text } from "./testing/guest.ts";
import { UserNetwork } from "./user-network.ts";

const SERVER = { address: address("10.0.2.100"), port: 80 };

function networkWithServer() {
  const network = new UserNetwork();
  const heard: string[] = [];
  network.listenTcp(SERVER, () => ({
    data: (bytes) => heard.push(new TextDecoder().decode(bytes)),
    close: (end) => heard.push(end),
  }));
  return { network, heard };
}

/** A guest on another network, to which the state of `source` was moved. */
function moved(source: UserNetwork) {
  const { network, heard } = networkWithServer();
  const guest = new Guest(network);
  move(source, network);
  return { network, heard, guest };
}

/** Opens a connection on which the guest has sent and received data. */
function open(guest: Guest): GuestTcp {
  const tcp = new GuestTcp(guest, SERVER);
  const [answer] = tcp.send(SYN);
  tcp.next += 1;
  tcp.expected = ((answer?.sequence ?? 0) + 1) >>> 0;
  tcp.send(ACK);
  tcp.send(ACK | PSH, "hello");
  tcp.next += 5;
  return tcp;
}

describe("a network that moves", () => {
  test("keeps its ARP table and need not ask again", () => {
    const source = new UserNetwork();
    const guest = new Guest(source).announce();
    guest.sendIcmp(GATEWAY, Uint8Array.of(8, 0, 0xf7, 0xff, 0, 0, 0, 0));
    const target = moved(source);
    target.network.connectTcp({ address: GUEST, port: 22 }, {});
    expect(target.guest.takeTcp().map(({ flags }) => flags)).toEqual([SYN]);
  });

  test("sends frames that waited for room in the card, and packets that waited for the guest's MAC address", () => {
    const source = new UserNetwork();
    const guest = new Guest(source);
    guest.room = 0;
    source.connectTcp({ address: GUEST, port: 22 }, {}); // asks for the address first
    const { network } = networkWithServer();
    const other = new Guest(network);
    move(source, network);
    network.acceptInput();
    expect(other.takeArp().map(({ targetAddress }) => targetAddress)).toEqual([GUEST]);
    other.answerArp();
    expect(other.takeTcp().map(({ flags }) => flags)).toEqual([SYN]);
  });

  test("resets the guest's connections, with sequence numbers that the guest accepts", () => {
    const { network } = networkWithServer();
    const guest = new Guest(network).announce();
    const tcp = open(guest);
    const target = moved(network);
    expect(target.guest.takeTcp()).toMatchObject([
      { flags: RST | ACK, sequence: tcp.expected, acknowledgment: tcp.next, source: SERVER },
    ]);
    expect(target.heard).toEqual([]);
    const after = new GuestTcp(target.guest, SERVER, tcp.local.port, tcp.next);
    after.expected = tcp.expected;
    expect(after.send(ACK | PSH, "more").map(({ flags }) => flags)).toEqual([RST]);
  });

  test("sends no resets for connections that have ended", () => {
    const { network } = networkWithServer();
    const guest = new Guest(network).announce();
    const tcp = open(guest);
    tcp.send(RST);
    expect(moved(network).guest.takeTcp()).toEqual([]);
  });

  test("opens connections with the sequence numbers and ports that would have come next", () => {
    const { network } = networkWithServer();
    const guest = new Guest(network).announce();
    open(guest).send(RST);
    network.connectTcp({ address: GUEST, port: 22 }, {}).abort();
    guest.take();
    const target = moved(network);
    target.guest.take();
    const next = [guest, target.guest].map(
      (each) => new GuestTcp(each, SERVER, 40_001).send(SYN)[0]?.sequence,
    );
    expect(next[1]).toBe(next[0]);
    const ports = [network, target.network].map(
      (each) => each.connectTcp({ address: GUEST, port: 23 }, {}).local.port,
    );
    expect(ports[1]).toBe(ports[0]);
  });

  test("serves new connections", () => {
    const target = moved(new UserNetwork());
    target.guest.announce();
    const tcp = open(target.guest);
    expect(target.heard).toEqual(["hello"]);
    expect(text(tcp.send(ACK))).toBe("");
  });
});
