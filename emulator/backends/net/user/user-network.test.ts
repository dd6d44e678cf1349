import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { virtualMac } from "./addresses.ts";
import { ARP_REPLY, ARP_REQUEST } from "./arp.ts";
import { checksum } from "./checksum.ts";
import { buildEthernet, ETHERTYPE_ARP, ETHERTYPE_IPV4, parseEthernet } from "./ethernet.ts";
import { buildIpv4, PROTOCOL_ICMP, PROTOCOL_UDP } from "./ipv4.ts";
import { address, GATEWAY, GUEST, GUEST_MAC, Guest, text } from "./testing/guest.ts";
import { buildUdp } from "./udp.ts";
import { UserNetwork } from "./user-network.ts";

function echoRequest(data: Uint8Array): Uint8Array {
  const message = Uint8Array.of(8, 0, 0, 0, 0x12, 0x34, 0, 7, ...data);
  const sum = checksum(message);
  message[2] = sum >>> 8;
  message[3] = sum & 0xff;
  return message;
}

const bytes = (content: string) => new TextEncoder().encode(content);

describe("address resolution", () => {
  test("finds the gateway, the name server and added servers, and no other host", () => {
    const network = new UserNetwork();
    network.listenTcp({ address: address("10.0.2.100"), port: 80 }, () => null);
    network.listenTcp({ address: address("192.0.2.1"), port: 80 }, () => null);
    const guest = new Guest(network);
    for (const [host, mac] of [
      ["10.0.2.2", "52:55:0a:00:02:02"],
      ["10.0.2.3", "52:55:0a:00:02:03"],
      ["10.0.2.100", "52:55:0a:00:02:64"],
    ] as const) {
      guest.askWhoHas(address(host));
      const [reply] = guest.takeArp();
      expect(reply?.operation).toBe(ARP_REPLY);
      expect(reply?.senderAddress).toBe(address(host));
      expect([...(reply?.senderMac ?? [])].map((byte) => byte.toString(16).padStart(2, "0")).join(":")).toBe(
        mac,
      );
      expect([reply?.targetAddress, reply?.targetMac]).toEqual([GUEST, GUEST_MAC]);
    }
    for (const nobody of ["10.0.2.15", "10.0.2.77", "192.0.2.1"]) {
      guest.askWhoHas(address(nobody));
      expect(guest.take()).toEqual([]);
    }
  });

  test("asks for the guest's MAC address before sending to a guest that never sent anything", () => {
    const network = new UserNetwork();
    const guest = new Guest(network);
    network.connectTcp({ address: GUEST, port: 22 }, {});
    const [request] = guest.takeArp();
    expect(request).toMatchObject({ operation: ARP_REQUEST, senderAddress: GATEWAY, targetAddress: GUEST });
    guest.answerArp();
    expect(guest.takeTcp()).toMatchObject([{ destination: { address: GUEST, port: 22 } }]);
  });
});

describe("ping", () => {
  test("is answered with the same data by the gateway and by servers", () => {
    const network = new UserNetwork();
    network.listenTcp({ address: address("192.0.2.1"), port: 80 }, () => null);
    const guest = new Guest(network).announce();
    for (const host of [GATEWAY, address("192.0.2.1")]) {
      guest.sendIcmp(host, echoRequest(bytes("abcdefg")));
      const [reply] = guest.takePackets(PROTOCOL_ICMP);
      expect([reply?.source, reply?.destination]).toEqual([host, GUEST]);
      // Type 0, code 0, and the checksum over type, identifier 1234, sequence 7 and the data is correct.
      expect([...(reply?.payload ?? [])].slice(0, 2)).toEqual([0, 0]);
      expect(checksum(reply?.payload ?? new Uint8Array(1))).toBe(0);
      expect(reply?.payload.subarray(4)).toEqual(Uint8Array.of(0x12, 0x34, 0, 7, ...bytes("abcdefg")));
    }
  });

  test("is answered with the same time to live as in QEMU's network, unlike datagrams", () => {
    const network = new UserNetwork();
    network.listenUdp({ address: GATEWAY, port: 9 }, (data, reply) => reply(data));
    const guest = new Guest(network).announce();
    guest.sendIcmp(GATEWAY, echoRequest(bytes("a")));
    guest.sendUdp({ address: GATEWAY, port: 9 }, bytes("a"));
    const timeToLive = (frame: Uint8Array) => frame[14 + 8]; // after the Ethernet header
    expect(guest.take().map(timeToLive)).toEqual([255, 64]);
  });

  test("of a host that does not exist is refused; corrupt and broadcast requests are not answered", () => {
    const guest = new Guest(new UserNetwork()).announce();
    guest.sendIcmp(address("192.0.2.9"), echoRequest(bytes("abc")));
    const [refusal] = guest.takePackets(PROTOCOL_ICMP);
    expect(refusal?.source).toBe(GATEWAY);
    expect([...(refusal?.payload ?? [])].slice(0, 2)).toEqual([3, 1]); // destination unreachable, host
    expect(refusal?.payload.length).toBe(8 + 20 + 8);
    const damaged = echoRequest(bytes("abc"));
    damaged[9] = (damaged[9] ?? 0) ^ 1;
    guest.sendIcmp(GATEWAY, damaged);
    guest.sendIcmp(address("10.0.2.255"), echoRequest(bytes("abc")));
    expect(guest.take()).toEqual([]);
  });

  test("is not answered in fragments", () => {
    const network = new UserNetwork();
    const guest = new Guest(network).announce();
    for (const field of [0x2000, 0x0001]) {
      const payload = echoRequest(bytes("abc"));
      const packet = buildIpv4({ source: GUEST, destination: GATEWAY, protocol: PROTOCOL_ICMP, payload }, 1);
      const view = new DataView(packet.buffer);
      view.setUint16(6, field);
      view.setUint16(10, 0);
      view.setUint16(10, checksum(packet.subarray(0, 20)));
      network.transmit(
        buildEthernet({
          destination: virtualMac(GATEWAY),
          source: GUEST_MAC,
          type: ETHERTYPE_IPV4,
          payload: packet,
        }),
      );
      expect(guest.take()).toEqual([]);
    }
  });
});

describe("datagrams", () => {
  const echo = { address: address("10.0.2.50"), port: 7 };

  test("reach a service, which answers from its own address", () => {
    const network = new UserNetwork();
    network.listenUdp(echo, (data, reply, from) =>
      reply(bytes(`${from.port}:${new TextDecoder().decode(data)}`)),
    );
    const guest = new Guest(network).announce();
    guest.sendUdp(echo, bytes("hello"));
    const replies = guest.takeUdp();
    expect(replies).toMatchObject([{ source: echo, destination: { address: GUEST, port: 5000 } }]);
    expect(text(replies)).toBe("5000:hello");
  });

  test("to a port without a service are refused, unless the guest is restricted", () => {
    const guest = new Guest(new UserNetwork()).announce();
    guest.sendUdp({ address: GATEWAY, port: 9 }, bytes("x"));
    expect([...(guest.takePackets(PROTOCOL_ICMP)[0]?.payload ?? [])].slice(0, 2)).toEqual([3, 3]);
    const restricted = new Guest(new UserNetwork({ restrict: true })).announce();
    restricted.sendUdp({ address: GATEWAY, port: 9 }, bytes("x"));
    expect(restricted.take()).toEqual([]);
  });

  test("with a wrong checksum are dropped, without one they are not", () => {
    const network = new UserNetwork();
    const heard: string[] = [];
    network.listenUdp(echo, (data) => heard.push(new TextDecoder().decode(data)));
    const guest = new Guest(network).announce();
    const send = (content: string, sum: number) => {
      const packet = buildUdp({
        source: { address: GUEST, port: 1 },
        destination: echo,
        data: bytes(content),
      });
      new DataView(packet.payload.buffer).setUint16(6, sum);
      guest.sendPacket(packet, virtualMac(echo.address));
    };
    send("wrong", 0x1234);
    send("none", 0);
    expect(heard).toEqual(["none"]);
  });

  test("cannot take a port that is taken", () => {
    const network = new UserNetwork();
    network.listenUdp(echo, () => {});
    expect(() => network.listenUdp(echo, () => {})).toThrow("UDP port 10.0.2.50:7 is taken; choose another");
    expect(() => network.listenUdp({ address: GATEWAY, port: 67 }, () => {})).toThrow("taken");
  });
});

describe("the guest's network card", () => {
  test("gets waiting frames in order once it has room", () => {
    const network = new UserNetwork();
    const guest = new Guest(network).announce();
    guest.room = 1;
    for (const content of ["a", "b", "c"]) guest.sendIcmp(GATEWAY, echoRequest(bytes(content)));
    const data = () =>
      text(guest.takePackets(PROTOCOL_ICMP).map(({ payload }) => ({ data: payload.subarray(8) })));
    expect(data()).toBe("a");
    guest.room = 2;
    network.acceptInput();
    expect(data()).toBe("bc");
  });

  test("may never accept anything: the queue is bounded", () => {
    const network = new UserNetwork();
    const guest = new Guest(network).announce();
    guest.room = 0;
    for (let count = 0; count < 5000; count++) guest.sendIcmp(GATEWAY, echoRequest(bytes("x")));
    guest.room = Number.POSITIVE_INFINITY;
    network.acceptInput();
    expect(guest.frames.length).toBe(2048);
  });

  test("may send while it receives, even in a long loop of frames", () => {
    const network = new UserNetwork();
    let heard = 0;
    network.listenUdp({ address: GATEWAY, port: 7 }, (data, reply) => reply(data));
    const packet = buildUdp({
      source: { address: GUEST, port: 7 },
      destination: { address: GATEWAY, port: 7 },
      data: bytes("again"),
    });
    const frame = buildEthernet({
      destination: virtualMac(GATEWAY),
      source: GUEST_MAC,
      type: ETHERTYPE_IPV4,
      payload: buildIpv4(packet, 0),
    });
    network.connect({
      receive() {
        if (++heard < 20_000) network.transmit(frame);
        return true;
      },
    });
    network.transmit(frame);
    expect(heard).toBe(20_000);
  });
});

describe("invalid frames", () => {
  const header = fc
    .tuple(
      fc.constantFrom(virtualMac(GATEWAY), GUEST_MAC, new Uint8Array(6).fill(0xff)),
      fc.constantFrom(0x0800, 0x0806, 0x86dd),
    )
    .map(([mac, type]) => Uint8Array.of(...mac, ...GUEST_MAC, type >>> 8, type & 0xff));

  test("never throw, whatever their bytes", () => {
    const network = new UserNetwork({ hosts: new Map([["a", [1]]]) });
    network.listenTcp({ address: GATEWAY, port: 80 }, () => ({}));
    new Guest(network);
    fc.assert(
      fc.property(
        fc.option(header, { nil: new Uint8Array() }),
        fc.uint8Array({ maxLength: 1600 }),
        (head, rest) => {
          network.transmit(Uint8Array.of(...head, ...rest));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("never throw with correct checksums either, and leave the network working", () => {
    const network = new UserNetwork({ hosts: new Map([["a", [1]]]) });
    network.listenTcp({ address: GATEWAY, port: 80 }, () => ({}));
    const guest = new Guest(network).announce();
    const port = fc.constantFrom(53, 67, 68, 80, 7);
    const place = fc.constantFrom(GATEWAY, address("10.0.2.3"), GUEST, 0, 0xffff_ffff, address("10.0.2.255"));
    fc.assert(
      fc.property(
        place,
        place,
        port,
        fc.uint8Array({ maxLength: 700 }),
        fc.constantFrom(PROTOCOL_UDP, 6, PROTOCOL_ICMP, 99),
        (source, destination, to, data, protocol) => {
          const udp = buildUdp({
            source: { address: source, port: to },
            destination: { address: destination, port: to },
            data,
          });
          guest.sendPacket(protocol === PROTOCOL_UDP ? udp : { ...udp, protocol, payload: data });
          guest.take();
        },
      ),
      { numRuns: 2000 },
    );
    guest.announce();
    guest.sendIcmp(GATEWAY, echoRequest(bytes("still there")));
    expect(guest.takePackets(PROTOCOL_ICMP).length).toBe(1);
  });

  test("with source addresses of groups or of virtual hosts are not learned from", () => {
    const network = new UserNetwork();
    const guest = new Guest(network).announce();
    guest.sendArp({
      operation: ARP_REPLY,
      senderMac: GUEST_MAC,
      senderAddress: GATEWAY,
      targetMac: GUEST_MAC,
      targetAddress: GUEST,
    });
    guest.sendPacket({
      source: GATEWAY,
      destination: GATEWAY,
      protocol: PROTOCOL_ICMP,
      payload: echoRequest(bytes("x")),
    });
    const frames = guest.take().map((frame) => parseEthernet(frame));
    expect(frames.filter((frame) => frame?.type !== ETHERTYPE_ARP)).toEqual([]);
  });
});
