import { describe, expect, test } from "vitest";
import type { OptionEntries } from "../../option-error.ts";
import { parseUserNetwork } from "./options.ts";
import { address, Guest } from "./testing/guest.ts";
import { UserNetwork } from "./user-network.ts";

/** Properties as on a command line, without commas in their values. */
function parse(text: string) {
  const entries: OptionEntries =
    text === ""
      ? []
      : text.split(",").map((each) => {
          const at = each.indexOf("=");
          return [each.slice(0, at), each.slice(at + 1)] as const;
        });
  return parseUserNetwork(entries);
}

describe("-netdev user", () => {
  test("defaults to QEMU's network", () => {
    const network = new UserNetwork(parse("").network);
    expect([network.gateway, network.nameServer, network.guest].map((each) => each.toString(16))).toEqual([
      "a000202",
      "a000203",
      "a00020f",
    ]);
  });

  test.each([
    ["net=192.168.7.0/24", "192.168.7.2", "192.168.7.3", "192.168.7.15"],
    ["net=192.168.7.0", "192.168.7.2", "192.168.7.3", "192.168.7.15"],
    ["net=192.168.7.99/255.255.0.0", "192.168.0.2", "192.168.0.3", "192.168.0.15"],
    ["net=10.1.0.0/29", "10.1.0.2", "10.1.0.3", "10.1.0.4"],
    ["host=10.0.2.9,dns=10.0.2.8,dhcpstart=10.0.2.20", "10.0.2.9", "10.0.2.8", "10.0.2.20"],
  ])("%s has gateway %s, name server %s and first guest %s", (text, gateway, nameServer, guest) => {
    const network = new UserNetwork(parse(text).network);
    expect([network.gateway, network.nameServer, network.guest]).toEqual(
      [gateway, nameServer, guest].map(address),
    );
  });

  test("accepts names, search lists and hosts", () => {
    const { network } = parse(
      "hostname=g,domainname=d.test,dnssearch=a.test,dnssearch=b.test,x-host=S.test:10.0.2.100,x-host=s.test:10.0.2.101,restrict=on,ipv6=off",
    );
    expect(network).toMatchObject({
      hostname: "g",
      domainName: "d.test",
      dnsSearch: ["a.test", "b.test"],
      restrict: true,
    });
    expect(network.hosts?.get("s.test")).toEqual([address("10.0.2.100"), address("10.0.2.101")]);
  });

  test("accepts forwards in both directions", () => {
    expect(parse("hostfwd=tcp::8022-:22,hostfwd=:127.0.0.1:0-10.0.2.16:80").hostForwards).toEqual([
      { hostPort: 8022, guest: { address: 0, port: 22 } },
      { hostPort: 0, guest: { address: address("10.0.2.16"), port: 80 } },
    ]);
    expect(parse("guestfwd=tcp:10.0.2.100:80-tcp:127.0.0.1:8080").guestForwards).toEqual([
      { server: { address: address("10.0.2.100"), port: 80 }, hostPort: 8080 },
    ]);
  });

  test.each([
    ["net=10.0.2", "net=10.0.2: not a network; give one like 10.0.2.0/24"],
    ["net=10.0.2.0/255.0.255.0", "not a network"],
    ["net=10.0.2.0/30", "invalid prefix length 30; give 8 to 29"],
    ["host=10.0.3.2", "host=10.0.3.2: not a host address in 10.0.2.0/24; give one"],
    ["dns=10.0.2.255", "dns=10.0.2.255: not a host address in 10.0.2.0/24"],
    ["dns=10.0.2.2", "host and dns have the same address; give different ones"],
    ["dns=1.2.3", "dns=1.2.3: not an IPv4 address; give one like 10.0.2.2"],
    ["restrict=maybe", "restrict=maybe: not a switch; give on or off"],
    ["ipv6=on", "ipv6=on: there is only IPv4; leave it out"],
    ["tftp=/srv", "tftp: there is no TFTP server; load files with --kernel, --initrd or a disk"],
    ["colour=red", "colour: user-mode networks have no such option; leave it out"],
    ["hostfwd=8022", "hostfwd=8022: not a forward; give one like tcp::8022-:22"],
    ["hostfwd=udp::53-:53", "forwards carry TCP only; give tcp instead of udp"],
    ["hostfwd=tcp:0.0.0.0:80-:80", "loopback interface only; give 127.0.0.1 instead of 0.0.0.0"],
    ["hostfwd=tcp::70000-:80", "70000 is not a port; give 0 to 65535"],
    ["hostfwd=tcp::80-:0", "0 is not a port; give 1 to 65535"],
    ["guestfwd=tcp:10.0.2.100:80-cmd:nc", "give one like tcp:10.0.2.100:80-tcp:127.0.0.1:8080"],
    ["x-host=nobody", "x-host=nobody: not a host; give one like server.test:10.0.2.100"],
    ["dnssearch=a..b", "dnssearch=a..b: not a domain; give a name"],
  ])("refuses %s", (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  test("gives a guest the addresses of its own network", () => {
    const guest = new Guest(new UserNetwork(parse("net=10.9.8.0/24").network));
    guest.askWhoHas(address("10.9.8.2"));
    expect(guest.takeArp()[0]?.senderAddress).toBe(address("10.9.8.2"));
  });
});
