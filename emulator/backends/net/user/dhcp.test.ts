import { describe, expect, test } from "vitest";
import {
  DHCP_ACK,
  DHCP_DECLINE,
  DHCP_DISCOVER,
  DHCP_INFORM,
  DHCP_NAK,
  DHCP_OFFER,
  DHCP_RELEASE,
  DHCP_REQUEST,
} from "./dhcp.ts";
import { address, GATEWAY, GUEST, GUEST_MAC, Guest } from "./testing/guest.ts";
import { UserNetwork, type UserNetworkOptions } from "./user-network.ts";

const EVERYBODY = { address: 0xffff_ffff, port: 67 };
const NOBODY = { address: 0, port: 68 };

/** A client's message; the layout is that of RFC 2131, section 2. */
function message(
  type: number,
  options: readonly number[] = [],
  { mac = GUEST_MAC, flags = 0, client = 0 } = {},
): Uint8Array {
  const bytes = new Uint8Array(300);
  const view = new DataView(bytes.buffer);
  bytes.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
  view.setUint16(10, flags);
  view.setUint32(12, client);
  bytes.set(mac, 28);
  bytes.set([0x63, 0x82, 0x53, 0x63, 53, 1, type, ...options, 255], 236);
  return bytes;
}

const asks = (wanted: number) => [50, 4, ...new Uint8Array(Uint32Array.of(wanted).buffer).reverse()];

interface Reply {
  readonly type: number | undefined;
  readonly your: number;
  readonly to: number;
  readonly options: Map<number, number[]>;
}

function talk(options: UserNetworkOptions = {}) {
  const guest = new Guest(new UserNetwork(options));
  return (sent: Uint8Array, from = NOBODY): Reply[] => {
    guest.sendUdp(EVERYBODY, sent, from);
    return guest.takeUdp().map(({ data, destination, source }) => {
      expect(source.port).toBe(67);
      expect(destination.port).toBe(68);
      const view = new DataView(data.buffer, data.byteOffset, data.length);
      expect([view.getUint8(0), view.getUint32(4), view.getUint32(236)]).toEqual([
        2, 0xdead_beef, 0x6382_5363,
      ]);
      const found = new Map<number, number[]>();
      for (let at = 240; data[at] !== 255 && at < data.length; at += 2 + (data[at + 1] ?? 0))
        found.set(data[at] ?? 0, [...data.subarray(at + 2, at + 2 + (data[at + 1] ?? 0))]);
      return { type: found.get(53)?.[0], your: view.getUint32(16), to: destination.address, options: found };
    });
  };
}

describe("a DHCP client", () => {
  test("is offered an address, and gets it with gateway, name server and lease time", () => {
    const say = talk({ hostname: "guest", domainName: "test", dnsSearch: ["a.test", "b"] });
    const [offer] = say(message(DHCP_DISCOVER));
    expect(offer).toMatchObject({ type: DHCP_OFFER, your: GUEST, to: GUEST });
    const [ack] = say(message(DHCP_REQUEST, [...asks(GUEST), 54, 4, 10, 0, 2, 2]));
    expect(ack).toMatchObject({ type: DHCP_ACK, your: GUEST });
    expect(ack?.options.get(1)).toEqual([255, 255, 255, 0]);
    expect(ack?.options.get(3)).toEqual([10, 0, 2, 2]);
    expect(ack?.options.get(6)).toEqual([10, 0, 2, 3]);
    expect(ack?.options.get(51)).toEqual([0, 1, 0x51, 0x80]); // 86400 seconds
    expect(ack?.options.get(54)).toEqual([10, 0, 2, 2]);
    expect(ack?.options.get(12)).toEqual([..."guest"].map((letter) => letter.charCodeAt(0)));
    expect(ack?.options.get(15)).toEqual([..."test"].map((letter) => letter.charCodeAt(0)));
    expect(ack?.options.get(119)).toEqual([1, 97, 4, 116, 101, 115, 116, 0, 1, 98, 0]);
  });

  test("that cannot receive unicast yet is answered by broadcast", () => {
    expect(talk()(message(DHCP_DISCOVER, [], { flags: 0x8000 }))[0]?.to).toBe(0xffff_ffff);
  });

  test("keeps its address; another gets the next one", () => {
    const say = talk();
    const other = Uint8Array.of(0x52, 0x54, 0, 0, 0, 1);
    expect(say(message(DHCP_DISCOVER))[0]?.your).toBe(GUEST);
    expect(say(message(DHCP_DISCOVER, [], { mac: other }))[0]?.your).toBe(GUEST + 1);
    say(message(DHCP_RELEASE, [], { client: GUEST }));
    expect(say(message(DHCP_DISCOVER))[0]?.your).toBe(GUEST);
  });

  test("that renews gives its address in the header", () => {
    const say = talk();
    say(message(DHCP_DISCOVER));
    const renewed = say(message(DHCP_REQUEST, [], { client: GUEST }), { address: GUEST, port: 68 });
    expect(renewed).toMatchObject([{ type: DHCP_ACK, your: GUEST, to: GUEST }]);
  });

  test("that requests an address other than its own gets a NAK", () => {
    const say = talk();
    say(message(DHCP_DISCOVER));
    const refused = say(message(DHCP_REQUEST, asks(address("192.168.0.7"))));
    expect(refused).toMatchObject([{ type: DHCP_NAK, your: 0, to: 0xffff_ffff }]);
    expect(refused[0]?.options.has(51)).toBe(false);
  });

  test("that chose another server, or sends an invalid message, gets no answer", () => {
    const say = talk();
    expect(say(message(DHCP_REQUEST, [...asks(GUEST), 54, 4, 10, 0, 2, 9]))).toEqual([]);
    expect(say(message(99))).toEqual([]);
    expect(say(new Uint8Array(240))).toEqual([]);
    expect(say(message(DHCP_DISCOVER).subarray(0, 200))).toEqual([]);
  });

  test("that has an address can ask for the other settings only", () => {
    const say = talk();
    const [ack] = say(message(DHCP_INFORM, [], { client: GUEST }), { address: GUEST, port: 68 });
    expect(ack).toMatchObject({ type: DHCP_ACK, your: 0, to: GUEST });
    expect([ack?.options.has(51), ack?.options.get(3)]).toEqual([false, [10, 0, 2, 2]]);
  });

  test("gets another address after declining its own", () => {
    const say = talk();
    say(message(DHCP_DISCOVER));
    expect(say(message(DHCP_DECLINE, asks(GUEST)))).toEqual([]);
    expect(say(message(DHCP_DISCOVER))[0]?.your).toBe(GUEST + 1);
  });

  test("gets no address that is in use, and none when the pool is exhausted", () => {
    const say = talk({ net: { address: address("10.0.2.0"), prefix: 29 }, dhcpStart: GATEWAY - 1 });
    const given = Array.from({ length: 8 }, (_, index) =>
      say(message(DHCP_DISCOVER, [], { mac: Uint8Array.of(2, 0, 0, 0, 0, index) })).map(
        ({ your }) => your & 0xff,
      ),
    );
    // .0 is the subnet, .2 the gateway, .3 the name server, .7 the broadcast address.
    expect(given.flat()).toEqual([1, 4, 5, 6]);
  });

  test("that is restricted is told of no route out", () => {
    const [offer] = talk({ restrict: true })(message(DHCP_DISCOVER));
    expect([offer?.options.has(1), offer?.options.has(3), offer?.options.has(6)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
