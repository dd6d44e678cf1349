import { describe, expect, test } from "vitest";
import { DnsServer, type Resolver } from "./dns.ts";
import { address, Guest, text } from "./testing/guest.ts";
import { UserNetwork } from "./user-network.ts";

const A = 1;
const PTR = 12;
const AAAA = 28;
const IN = 1;

/** A query; the layout is that of RFC 1035, section 4.1. */
function query(name: string, type = A, { flags = 0x0100, questions = 1, category = IN } = {}): Uint8Array {
  const labels = name.split(".").flatMap((label) => [label.length, ...new TextEncoder().encode(label)]);
  return Uint8Array.of(
    ...[0xab, 0xcd, flags >>> 8, flags & 0xff, 0, questions, 0, 0, 0, 0, 0, 0],
    ...[...labels, 0, type >>> 8, type & 0xff, 0, category],
  );
}

const hosts = new Map([
  ["server.test", [address("10.0.2.100"), address("10.0.2.101")]],
  ["x", [address("192.0.2.1")]],
]);

function ask(message: Uint8Array, resolve?: Resolver) {
  const answer = new DnsServer({ hosts, ...(resolve === undefined ? {} : { resolve }) }).answer(message);
  if (answer === null) return null;
  const view = new DataView(answer.buffer);
  const flags = view.getUint16(2);
  expect([view.getUint16(0), flags & 0x8000]).toEqual([0xabcd, 0x8000]);
  return { code: flags & 0xf, flags, answers: view.getUint16(6), bytes: answer };
}

describe("name server", () => {
  test("answers with all addresses of a name, in the format of RFC 1035", () => {
    const asked = query("server.test");
    const reply = ask(asked);
    expect(reply).toMatchObject({ code: 0, answers: 2, flags: 0x8180 }); // response, recursion desired and available
    const record = (last: number) => [0xc0, 12, 0, A, 0, IN, 0, 0, 0x0e, 0x10, 0, 4, 10, 0, 2, last];
    expect([...(reply?.bytes.subarray(asked.length) ?? [])]).toEqual([...record(100), ...record(101)]);
    expect(reply?.bytes.subarray(12, asked.length)).toEqual(asked.subarray(12));
  });

  test("ignores the case of letters", () => {
    expect(ask(query("SERVER.Test"))).toMatchObject({ code: 0, answers: 2 });
  });

  test("reports that a name has no addresses of another kind", () => {
    expect(ask(query("server.test", AAAA))).toMatchObject({ code: 0, answers: 0 });
  });

  test("finds the names of addresses", () => {
    const reply = ask(query("1.2.0.192.in-addr.arpa", PTR));
    expect(reply).toMatchObject({ code: 0, answers: 1 });
    expect([...(reply?.bytes.slice(-3) ?? [])]).toEqual([1, "x".charCodeAt(0), 0]);
    expect(ask(query("9.2.0.192.in-addr.arpa", PTR))).toMatchObject({ code: 3 });
  });

  test("reports that a name does not exist, or asks the resolver", () => {
    expect(ask(query("other.test"))).toMatchObject({ code: 3, answers: 0 });
    const asked: string[] = [];
    const resolver: Resolver = (name) => {
      asked.push(name);
      if (name === "fails") throw new Error("no network");
      return name === "found" ? [address("192.0.2.7")] : null;
    };
    expect(ask(query("found"), resolver)).toMatchObject({ code: 0, answers: 1 });
    expect(ask(query("lost"), resolver)).toMatchObject({ code: 3 });
    expect(ask(query("fails"), resolver)).toMatchObject({ code: 2 });
    ask(query("server.test"), resolver);
    expect(asked).toEqual(["found", "lost", "fails"]);
  });

  test("refuses what it does not support", () => {
    expect(ask(query("x", A, { flags: 0x2800 }))).toMatchObject({ code: 4 }); // an update
    expect(ask(query("x", A, { category: 3 }))).toMatchObject({ code: 5 });
    expect(ask(query("x", A, { questions: 2 }))).toMatchObject({ code: 1 });
    expect(ask(query("x").subarray(0, 15))).toMatchObject({ code: 1 });
    expect(ask(Uint8Array.of(...query("").subarray(0, 12), 0xc0, 12, 0, 1, 0, 1))).toMatchObject({ code: 1 });
    expect(ask(query("x", A, { flags: 0x8000 }))).toBeNull(); // a response
  });

  test("never sends more than fits in a datagram", () => {
    const many = new Map([["many", Array.from({ length: 100 }, (_, index) => index)]]);
    const answer = new DnsServer({ hosts: many }).answer(query("many"));
    expect(answer?.length).toBeLessThanOrEqual(512);
    expect(new DataView(answer?.buffer ?? new ArrayBuffer(8)).getUint16(6)).toBe(Math.floor((512 - 22) / 16));
  });

  test("is at the third address, and not available to a restricted guest", () => {
    const server = { address: address("10.0.2.3"), port: 53 };
    const guest = new Guest(new UserNetwork({ hosts })).announce();
    guest.sendUdp(server, query("x"));
    const replies = guest.takeUdp();
    expect(replies).toMatchObject([{ source: server }]);
    expect(text(replies).length).toBeGreaterThan(0);
    const restricted = new Guest(new UserNetwork({ hosts, restrict: true })).announce();
    restricted.sendUdp(server, query("x"));
    expect(restricted.takeUdp()).toEqual([]);
  });
});
