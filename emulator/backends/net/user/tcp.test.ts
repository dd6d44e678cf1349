import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { PROTOCOL_ICMP } from "./ipv4.ts";
import type { TcpConnection, TcpHandler } from "./tcp-connection.ts";
import { ACK, buildTcp, FIN, PSH, parseTcp, RST, SYN, type TcpSegment } from "./tcp-segment.ts";
import { address, GATEWAY, GUEST, Guest, GuestTcp, text } from "./testing/guest.ts";
import { Random } from "./testing/random.ts";
import { UserNetwork } from "./user-network.ts";

const SERVER = { address: address("10.0.2.100"), port: 80 };

let network: UserNetwork;
let guest: Guest;
let log: string[];
let server: TcpConnection;

/** A service that records its callbacks. */
function note(more: TcpHandler = {}): TcpHandler {
  return {
    open: () => log.push("open"),
    data: (bytes) => log.push(new TextDecoder().decode(bytes)),
    end: () => log.push("end"),
    close: (end) => log.push(end),
    ...more,
  };
}

function serve(handler: TcpHandler | null = note()): void {
  network.listenTcp(SERVER, (connection) => {
    server = connection;
    return handler;
  });
}

/** A guest's connection after the handshake. */
function connected(window = 65_535, mss?: number): GuestTcp {
  const tcp = new GuestTcp(guest, SERVER);
  tcp.window = window;
  const [reply] = tcp.send(SYN, "", mss === undefined ? {} : { mss });
  tcp.next++;
  tcp.expected = (reply?.sequence ?? 0) + 1;
  expect(tcp.send(ACK)).toEqual([]);
  return tcp;
}

const bytes = (content: string) => new TextEncoder().encode(content);

beforeEach(() => {
  network = new UserNetwork();
  guest = new Guest(network).announce();
  log = [];
});

describe("segments", () => {
  test("have the layout of RFC 9293", () => {
    const { payload } = buildTcp({
      source: { address: GUEST, port: 0x1234 },
      destination: SERVER,
      sequence: 0x0102_0304,
      acknowledgment: 0x0506_0708,
      flags: SYN | ACK,
      window: 0x1111,
      mss: 1460,
      data: bytes("hi"),
    });
    const sum = [...payload.subarray(16, 18)];
    expect([...payload]).toEqual([
      ...[0x12, 0x34, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, 0x60, 0x12, 0x11, 0x11],
      ...[...sum, 0, 0, 2, 4, 0x05, 0xb4, 0x68, 0x69],
    ]);
  });

  test("with arbitrary options are parsed or rejected without errors", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 80 }), (payload) => {
        parseTcp({ source: GUEST, destination: GATEWAY, protocol: 6, payload });
      }),
    );
  });
});

describe("opening", () => {
  test("takes three segments", () => {
    serve();
    const tcp = new GuestTcp(guest, SERVER);
    const [reply, ...rest] = tcp.send(SYN, "", { mss: 1000 });
    expect(rest).toEqual([]);
    expect(reply).toMatchObject({ flags: SYN | ACK, acknowledgment: 1001, mss: 1460, window: 65_535 });
    expect(log).toEqual([]);
    tcp.next++;
    tcp.expected = (reply?.sequence ?? 0) + 1;
    expect(tcp.send(ACK)).toEqual([]);
    expect([log, server.state]).toEqual([["open"], "established"]);
  });

  test("of a port without a service, or whose service refuses, is reset", () => {
    serve(null);
    for (const port of [80, 81]) {
      const tcp = new GuestTcp(guest, { ...SERVER, port });
      expect(tcp.send(SYN)).toMatchObject([{ flags: RST | ACK, sequence: 0, acknowledgment: 1001 }]);
    }
  });

  test("gets no answer when the guest is restricted, except from servers", () => {
    network = new UserNetwork({ restrict: true });
    guest = new Guest(network).announce();
    serve();
    expect(new GuestTcp(guest, { address: GATEWAY, port: 80 }).send(SYN)).toEqual([]);
    expect(new GuestTcp(guest, SERVER).send(SYN)).toMatchObject([{ flags: SYN | ACK }]);
  });

  test("repeats the reply when the guest repeats its SYN", () => {
    serve();
    const tcp = new GuestTcp(guest, SERVER);
    const first = tcp.send(SYN);
    expect(tcp.send(SYN)).toEqual(first);
  });

  test("with a wrong acknowledgment is reset", () => {
    serve();
    const tcp = new GuestTcp(guest, SERVER);
    tcp.send(SYN);
    tcp.next++;
    expect(tcp.send(ACK, "", { acknowledgment: 77 })).toMatchObject([{ flags: RST, sequence: 77 }]);
  });

  test("chooses different sequence numbers for each connection, but the same in each run", () => {
    const numbers = () => {
      network = new UserNetwork({ seed: 5 });
      guest = new Guest(network).announce();
      serve();
      return [1, 2, 3].map((port) => new GuestTcp(guest, SERVER, port).send(SYN)[0]?.sequence);
    };
    const first = numbers();
    expect(new Set(first).size).toBe(3);
    expect(numbers()).toEqual(first);
  });

  test("of a port of the guest works from this side", () => {
    const connection = network.connectTcp({ address: GUEST, port: 22 }, note());
    const [syn] = guest.takeTcp();
    expect(syn).toMatchObject({
      flags: SYN,
      mss: 1460,
      source: { address: GATEWAY },
      destination: { port: 22 },
    });
    connection.write(bytes("early"));
    const tcp = new GuestTcp(guest, syn?.source ?? SERVER, 22);
    tcp.expected = (syn?.sequence ?? 0) + 1;
    const answer = tcp.send(SYN | ACK, "", { mss: 1460 });
    expect([text(answer), answer[0]?.acknowledgment, log]).toEqual(["early", 1001, ["open"]]);
  });

  test("is refused by a reset from the guest, if that acknowledges the SYN", () => {
    const connection = network.connectTcp({ address: GUEST, port: 22 }, note());
    const [syn] = guest.takeTcp();
    const tcp = new GuestTcp(guest, syn?.source ?? SERVER, 22);
    tcp.expected = 5;
    tcp.send(RST | ACK);
    expect(log).toEqual([]);
    tcp.expected = (syn?.sequence ?? 0) + 1;
    tcp.send(RST | ACK);
    expect([log, connection.state]).toEqual([["refused"], "closed"]);
  });

  test("from both sides at once meets in the middle", () => {
    const connection = network.connectTcp({ address: GUEST, port: 22 }, note());
    const [syn] = guest.takeTcp();
    const tcp = new GuestTcp(guest, syn?.source ?? SERVER, 22);
    const [answer] = tcp.send(SYN);
    expect(answer).toMatchObject({ flags: SYN | ACK, sequence: syn?.sequence, acknowledgment: 1001 });
    tcp.expected = (syn?.sequence ?? 0) + 1;
    tcp.send(SYN | ACK);
    expect([log, connection.state]).toEqual([["open"], "established"]);
  });

  test("works where sequence numbers wrap around", () => {
    serve(note({ data: (data) => server.write(data) }));
    const tcp = new GuestTcp(guest, SERVER, 1, 0xffff_fffe);
    const [reply] = tcp.send(SYN);
    tcp.next = 0xffff_ffff;
    tcp.expected = (reply?.sequence ?? 0) + 1;
    const echo = tcp.send(ACK, "abc");
    expect([text(echo), echo[0]?.acknowledgment]).toEqual(["abc", 2]);
  });
});

describe("bytes from the guest", () => {
  test("are acknowledged, with the answer if there is one", () => {
    serve(note({ data: (data) => server.write(data) }));
    const tcp = connected();
    expect(tcp.send(ACK | PSH, "hello")).toMatchObject([
      { flags: ACK | PSH, acknowledgment: tcp.next + 5, sequence: tcp.expected, data: bytes("hello") },
    ]);
  });

  test("reach the service once and in order, however they arrive", () => {
    serve();
    const tcp = connected();
    const start = tcp.next;
    const at = (offset: number) => ({ sequence: start + offset });
    expect(tcp.send(ACK, "cd", at(2))).toMatchObject([{ flags: ACK, acknowledgment: start }]);
    tcp.send(ACK, "ef", at(4));
    tcp.send(ACK, "cd", at(2));
    expect(log).toEqual(["open"]);
    expect(tcp.send(ACK, "abc", at(0))).toMatchObject([{ acknowledgment: start + 6 }]);
    expect(log.join("")).toBe("openabcdef");
    expect(tcp.send(ACK, "ab", at(0))).toMatchObject([{ acknowledgment: start + 6 }]);
    expect(log.join("")).toBe("openabcdef");
  });

  test("outside the window are dropped, and the expected sequence number is acknowledged", () => {
    serve();
    const tcp = connected();
    for (const sequence of [tcp.next - 100, tcp.next + 70_000])
      expect(tcp.send(ACK, "x", { sequence })).toMatchObject([{ flags: ACK, acknowledgment: tcp.next }]);
    expect(log).toEqual(["open"]);
  });

  test("wait while the service pauses: the window closes, and reopens", () => {
    serve();
    const tcp = connected();
    server.pause();
    const chunk = "x".repeat(1460);
    let window = 65_535;
    for (let count = 0; count < 45; count++) {
      const [ack] = tcp.send(ACK, chunk);
      const taken = Math.min(1460, window);
      tcp.next += taken;
      window -= taken;
      expect(ack).toMatchObject({ acknowledgment: tcp.next, window });
    }
    expect(window).toBe(0);
    expect(tcp.send(ACK, "y")).toMatchObject([{ acknowledgment: tcp.next, window: 0 }]);
    server.resumeReading();
    expect(guest.takeTcp()).toMatchObject([{ flags: ACK, acknowledgment: tcp.next, window: 65_535 }]);
    expect(log.join("")).toBe(`open${"x".repeat(65_535)}`);
  });

  test("are delivered before the end, even if they waited", () => {
    serve();
    const tcp = connected();
    server.pause();
    tcp.send(ACK | FIN, "last");
    expect(log).toEqual(["open"]);
    server.resumeReading();
    expect(log).toEqual(["open", "last", "end"]);
  });
});

describe("bytes to the guest", () => {
  test("fill its window and no more, in segments that it accepts", () => {
    serve();
    const tcp = connected(2500, 1000);
    server.write(new Uint8Array(5000));
    const first = guest.takeTcp();
    // Silly window avoidance: the last half segment waits for a full one.
    expect(first.map(({ data }) => data.length)).toEqual([1000, 1000]);
    tcp.expected += 2000;
    expect(tcp.send(ACK).map(({ data }) => data.length)).toEqual([1000, 1000]);
    tcp.expected += 2000;
    const last = tcp.send(ACK);
    expect(last.map(({ data, flags }) => [data.length, flags])).toEqual([[1000, ACK | PSH]]);
  });

  test("are sent in segments of 536 bytes to a guest that gives no size", () => {
    serve();
    connected();
    server.write(new Uint8Array(1000));
    expect(guest.takeTcp().map(({ data }) => data.length)).toEqual([536, 464]);
  });

  test("wait while its window is closed, and continue when it opens", () => {
    serve();
    const tcp = connected(0);
    server.write(bytes("waits"));
    expect(guest.takeTcp()).toEqual([]);
    tcp.window = 3;
    expect(text(tcp.send(ACK))).toBe("wai");
    tcp.expected += 3;
    tcp.window = 100;
    expect(text(tcp.send(ACK))).toBe("ts");
  });

  test("are retransmitted after the third duplicate acknowledgment", () => {
    serve();
    const tcp = connected(65_535, 1000);
    server.write(bytes("a".repeat(1000)));
    server.write(bytes("b".repeat(1000)));
    guest.take();
    expect(tcp.send(ACK)).toEqual([]);
    expect(tcp.send(ACK)).toEqual([]);
    expect(tcp.send(ACK)).toMatchObject([{ sequence: tcp.expected, data: bytes("a".repeat(1000)) }]);
    expect(tcp.send(ACK)).toEqual([]);
  });

  test("that were never sent cannot be acknowledged", () => {
    serve();
    const tcp = connected();
    const reply = tcp.send(ACK, "lost", { acknowledgment: tcp.expected + 10 });
    expect(reply).toMatchObject([{ flags: ACK, acknowledgment: tcp.next, sequence: tcp.expected }]);
    expect(log).toEqual(["open"]);
  });

  test("tell the writer when to wait and when to continue", () => {
    serve(note({ drain: () => log.push("drain") }));
    const tcp = connected(65_535, 1460);
    expect(server.write(new Uint8Array(100))).toBe(true);
    expect(server.write(new Uint8Array(300_000))).toBe(false);
    let received = 0;
    while (received < 300_100) {
      const segments = guest.takeTcp();
      received += segments.reduce((sum, { data }) => sum + data.length, 0);
      tcp.expected += segments.reduce((sum, { data }) => sum + data.length, 0);
      guest.sendTcp({
        source: tcp.local,
        destination: SERVER,
        sequence: tcp.next,
        acknowledgment: tcp.expected,
        flags: ACK,
        window: 65_535,
        data: new Uint8Array(0),
      });
    }
    expect(log).toEqual(["open", "drain"]);
  });

  test("do not overrun a network card without room, and arrive when it has some", () => {
    serve();
    const tcp = connected(65_535, 64);
    guest.room = 10;
    server.write(new Uint8Array(60_000));
    let received = 0;
    while (received < 60_000) {
      const count = guest.takeTcp().reduce((sum, { data }) => sum + data.length, 0);
      expect(count).toBeGreaterThan(0);
      received += count;
      tcp.expected += count;
      network.acceptInput();
    }
    expect(received).toBe(60_000);
  });
});

describe("closing", () => {
  test("by the guest first ends both sides", () => {
    serve(note({ end: () => server.end() }));
    const tcp = connected();
    expect(tcp.send(ACK | FIN)).toMatchObject([{ flags: ACK | FIN, acknowledgment: tcp.next + 1 }]);
    expect(server.state).toBe("last-ack");
    tcp.next++;
    tcp.expected++;
    tcp.send(ACK);
    expect([server.state, log]).toEqual(["closed", ["open", "finished"]]);
    // The connection is forgotten: late segments are refused.
    expect(tcp.send(ACK)).toMatchObject([{ flags: RST }]);
  });

  test("follows the guest if the service does not handle the end", () => {
    serve({});
    expect(connected().send(ACK | FIN)).toMatchObject([{ flags: ACK | FIN }]);
  });

  test("by this side first waits for the guest, which may keep sending", () => {
    serve();
    const tcp = connected();
    server.write(bytes("bye"));
    server.end();
    expect(guest.takeTcp()).toMatchObject([{ data: bytes("bye") }, { flags: ACK | FIN }]);
    tcp.expected += 4;
    tcp.send(ACK);
    expect(server.state).toBe("fin-wait-2");
    tcp.send(ACK, "more");
    tcp.next += 4;
    expect(tcp.send(ACK | FIN)).toMatchObject([{ flags: ACK, acknowledgment: tcp.next + 1 }]);
    expect([server.state, log]).toEqual(["time-wait", ["open", "more", "end", "finished"]]);
    // A guest that missed the last acknowledgment repeats its FIN.
    expect(tcp.send(ACK | FIN)).toMatchObject([{ flags: ACK, acknowledgment: tcp.next + 1 }]);
  });

  test("works from both sides at once", () => {
    serve();
    const tcp = connected();
    server.end();
    expect(guest.takeTcp()).toMatchObject([{ flags: ACK | FIN }]);
    expect(tcp.send(ACK | FIN)).toMatchObject([{ flags: ACK, acknowledgment: tcp.next + 1 }]);
    expect(server.state).toBe("closing");
    tcp.next++;
    tcp.expected++;
    tcp.send(ACK);
    expect([server.state, log]).toEqual(["time-wait", ["open", "end", "finished"]]);
  });

  test("sends all bytes before the end, through a narrow window", () => {
    serve();
    const tcp = connected(2);
    server.write(bytes("abcd"));
    server.end();
    const seen: TcpSegment[] = guest.takeTcp();
    for (let round = 0; round < 4; round++) {
      tcp.expected += seen.at(-1)?.data.length ?? 0;
      seen.push(...tcp.send(ACK));
    }
    expect(text(seen)).toBe("abcd");
    expect(seen.filter(({ flags }) => (flags & FIN) !== 0).length).toBe(1);
  });

  test("by a reset is immediate", () => {
    serve();
    const tcp = connected();
    expect(tcp.send(RST)).toEqual([]);
    expect([server.state, log]).toEqual(["closed", ["open", "reset"]]);
    expect(server.write(bytes("x"))).toBe(false);
    expect(guest.take()).toEqual([]);
  });

  test("by a reset needs the exact sequence number", () => {
    serve();
    const tcp = connected();
    expect(tcp.send(RST, "", { sequence: tcp.next + 5 })).toMatchObject([{ flags: ACK }]);
    expect(tcp.send(SYN)).toMatchObject([{ flags: ACK, acknowledgment: tcp.next }]);
    expect(server.state).toBe("established");
  });

  test("by an abort tells the guest", () => {
    serve();
    const tcp = connected();
    server.abort();
    expect(guest.takeTcp()).toMatchObject([{ flags: RST | ACK, sequence: tcp.expected }]);
    expect(log).toEqual(["open", "aborted"]);
  });

  test("lets the same ports be used again", () => {
    serve(note({ end: () => server.end() }));
    for (let round = 0; round < 3; round++) {
      const tcp = connected();
      server.end();
      guest.take();
      tcp.expected++;
      tcp.send(ACK | FIN);
      expect(server.state).toBe("time-wait");
    }
  });

  test("forbids writes afterwards", () => {
    serve();
    connected();
    server.end();
    expect(() => server.write(bytes("x"))).toThrow("write before end()");
  });
});

describe("any mixture of segments", () => {
  test("delivers everything once and in order, if it is sent often enough", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 300 }), fc.nat(), (content, seed) => {
        network = new UserNetwork();
        guest = new Guest(network).announce();
        log = [];
        serve(note({ end: () => server.end() }));
        const tcp = connected();
        const random = new Random(seed);
        const whole = bytes(content);
        const start = tcp.next;
        const pieces = Array.from({ length: 20 }, () => {
          const from = random.below(whole.length);
          return { from, to: from + random.below(whole.length - from + 1) };
        });
        for (let from = 0; from < whole.length; from += 5)
          pieces.push({ from, to: Math.min(from + 8, whole.length) });
        for (const { from, to } of random.shuffle([
          ...pieces,
          ...pieces,
          { from: whole.length, to: whole.length },
        ])) {
          const last = to === whole.length ? FIN : 0;
          guest.sendTcp({
            source: tcp.local,
            destination: SERVER,
            sequence: (start + from) >>> 0,
            acknowledgment: tcp.expected,
            flags: ACK | last,
            window: 65_535,
            data: whole.subarray(from, to),
          });
        }
        expect(log.join("")).toBe(`open${content}`);
        expect(guest.takeTcp().at(-1)?.acknowledgment).toBe((start + whole.length + 1) >>> 0);
      }),
      { numRuns: 200 },
    );
  });

  test("never throws, and leaves the port usable for others", () => {
    serve({ data: (data) => server.write(data.subarray(0, 10)) });
    const flags = fc.integer({ min: 0, max: 63 });
    const near = fc.integer({ min: -3, max: 70_000 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(flags, near, near, fc.nat(65_535), fc.string({ maxLength: 30 })), {
          maxLength: 30,
        }),
        (segments) => {
          const tcp = connected();
          for (const [flag, sequence, acknowledgment, window, data] of segments) {
            tcp.send(flag & ~RST, data, {
              sequence: (tcp.next + sequence) >>> 0,
              acknowledgment: (tcp.expected + acknowledgment) >>> 0,
              window,
            });
          }
          tcp.send(RST);
          network.close();
          network.connect(guest);
          guest.take();
        },
      ),
      { numRuns: 300 },
    );
    connected();
    expect(guest.takePackets(PROTOCOL_ICMP)).toEqual([]);
  });
});
