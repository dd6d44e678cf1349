/** The options of `-netdev user`, spelled as in QEMU. */
import { tableOf } from "#host";
import { BackendOptionError, type OptionEntries, parseSwitch } from "../../option-error.ts";
import {
  addressAt,
  formatAddress,
  isForMany,
  isInside,
  netmask,
  parseAddress,
  type Subnet,
} from "./addresses.ts";
import { isDomainName, normalizeName } from "./dns.ts";
import type { Endpoint } from "./udp.ts";
import { DEFAULT_SUBNET, type UserNetworkOptions } from "./user-network.ts";

/** A host port forwarded to the guest. */
export interface HostForward {
  /** Port on the host's loopback interface; 0 for any free port. */
  readonly hostPort: number;
  /** Address 0 stands for the address of the first DHCP client. */
  readonly guest: Endpoint;
}

/** A virtual host's port forwarded to a server on the host. */
export interface GuestForward {
  readonly server: Endpoint;
  /** Port on the host's loopback interface. */
  readonly hostPort: number;
}

export interface UserNetworkConfiguration {
  readonly network: UserNetworkOptions;
  readonly hostForwards: readonly HostForward[];
  readonly guestForwards: readonly GuestForward[];
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

const LOOPBACK_NAMES = ["", "127.0.0.1", "localhost"];
/** QEMU options that are not implemented, and what to do instead. */
const MISSING = tableOf<string>({
  tftp: "there is no TFTP server; load files with --kernel, --initrd or a disk",
  bootfile: "there is no TFTP server; load files with --kernel, --initrd or a disk",
  "tftp-server-name": "there is no TFTP server; leave it out",
  smb: "there is no file server; use a disk",
  smbserver: "there is no file server; use a disk",
  "ipv6-net": "there is no IPv6; leave it out",
  "ipv6-host": "there is no IPv6; leave it out",
  "ipv6-dns": "there is no IPv6; leave it out",
});
/** Properties of a network, besides those that are missing. */
export const USER_NETWORK_PROPERTIES = [
  ..."dhcpstart dns dnssearch domainname guestfwd host hostfwd hostname ipv4 ipv6 net restrict x-host".split(
    " ",
  ),
];
/** Default prefix length, as in QEMU: 10.0.2.0 stands for 10.0.2.0/24. */
const DEFAULT_PREFIX = 24;
/** A subnet smaller than this has no room for gateway, name server and guest. */
const LONGEST_PREFIX = 29;

/**
 * @param entries properties of the option, without `id`.
 * @throws BackendOptionError that names the invalid property.
 */
export function parseUserNetwork(entries: OptionEntries): UserNetworkConfiguration {
  const network: Writable<UserNetworkOptions> = {};
  const addresses = new Map<string, number>();
  const dnsSearch: string[] = [];
  const hosts = new Map<string, number[]>();
  const hostForwards: HostForward[] = [];
  const guestForwards: GuestForward[] = [];
  for (const [name, value] of entries) {
    switch (name) {
      case "net":
        network.net = parseSubnet(value);
        break;
      case "host":
      case "dns":
      case "dhcpstart":
        addresses.set(name, parseAddressOf(name, value));
        break;
      case "hostname":
        network.hostname = value;
        break;
      case "domainname":
        network.domainName = value;
        break;
      case "dnssearch":
        if (!isDomainName(value))
          throw new BackendOptionError(`dnssearch=${value}: not a domain; give a name`);
        dnsSearch.push(value);
        break;
      case "restrict":
        network.restrict = parseSwitch(name, value);
        break;
      case "ipv4":
        if (!parseSwitch(name, value))
          throw new BackendOptionError("ipv4=off: there is only IPv4; leave it out");
        break;
      case "ipv6":
        if (parseSwitch(name, value))
          throw new BackendOptionError("ipv6=on: there is only IPv4; leave it out");
        break;
      case "hostfwd":
        hostForwards.push(parseHostForward(value));
        break;
      case "guestfwd":
        guestForwards.push(parseGuestForward(value));
        break;
      case "x-host":
        addHost(hosts, value);
        break;
      default:
        throw new BackendOptionError(
          `${name}: ${MISSING.get(name) ?? "user-mode networks have no such option; leave it out"}`,
        );
    }
  }
  const subnet = network.net ?? DEFAULT_SUBNET;
  for (const [name, address] of addresses) {
    if (!isInside(subnet, address) || isForMany(subnet, address) || address === subnet.address) {
      const range = `${formatAddress(subnet.address)}/${subnet.prefix}`;
      throw new BackendOptionError(
        `${name}=${formatAddress(address)}: not a host address in ${range}; give one`,
      );
    }
  }
  const host = addresses.get("host");
  const dns = addresses.get("dns");
  // In a subnet without a fifteenth address, clients start after the name server.
  const dhcpStart = addresses.get("dhcpstart") ?? addressAt(subnet, subnet.prefix > 27 ? 4 : 15);
  if ((host ?? addressAt(subnet, 2)) === (dns ?? addressAt(subnet, 3)))
    throw new BackendOptionError("host and dns have the same address; give different ones");
  if (host !== undefined) network.host = host;
  if (dns !== undefined) network.dns = dns;
  network.dhcpStart = dhcpStart;
  if (dnsSearch.length > 0) network.dnsSearch = dnsSearch;
  if (hosts.size > 0) network.hosts = hosts;
  return { network, hostForwards, guestForwards };
}

/** An address, a slash, and a prefix length or mask; without them, 24 bits as in QEMU. */
function parseSubnet(value: string): Subnet {
  const [text = "", mask, ...rest] = value.split("/");
  const address = parseAddress(text);
  const prefix = mask === undefined ? DEFAULT_PREFIX : parsePrefix(mask);
  if (address === null || prefix === null || rest.length > 0)
    throw new BackendOptionError(`net=${value}: not a network; give one like 10.0.2.0/24`);
  if (prefix < 8 || prefix > LONGEST_PREFIX) {
    throw new BackendOptionError(
      `net=${value}: invalid prefix length ${prefix}; give 8 to ${LONGEST_PREFIX}`,
    );
  }
  return { address: (address & netmask(prefix)) >>> 0, prefix };
}

function parsePrefix(text: string): number | null {
  if (/^\d{1,2}$/.test(text)) return Number(text) <= 32 ? Number(text) : null;
  const mask = parseAddress(text);
  if (mask === null) return null;
  const prefix = Math.clz32(~mask);
  return netmask(prefix) === mask ? prefix : null;
}

function parseAddressOf(name: string, value: string): number {
  const address = parseAddress(value);
  if (address === null)
    throw new BackendOptionError(`${name}=${value}: not an IPv4 address; give one like 10.0.2.2`);
  return address;
}

/** `[tcp]:[hostaddr]:hostport-[guestaddr]:guestport` */
function parseHostForward(value: string): HostForward {
  const found = /^(\w*):([^:]*):(\d+)-([^:]*):(\d+)$/.exec(value);
  if (found === null)
    throw new BackendOptionError(`hostfwd=${value}: not a forward; give one like tcp::8022-:22`);
  const [, protocol = "", hostAddress = "", hostPort = "", guestAddress = "", guestPort = ""] = found;
  const option = `hostfwd=${value}`;
  checkTcp(option, protocol);
  checkLoopback(option, hostAddress);
  const address = guestAddress === "" ? 0 : parseAddressOf("hostfwd", guestAddress);
  return {
    hostPort: parsePort(option, hostPort, 0),
    guest: { address, port: parsePort(option, guestPort, 1) },
  };
}

/** `[tcp]:server:port-tcp:hostaddr:hostport` */
function parseGuestForward(value: string): GuestForward {
  const found = /^(\w*):([^:]*):(\d+)-tcp:([^:]*):(\d+)$/.exec(value);
  if (found === null) {
    throw new BackendOptionError(
      `guestfwd=${value}: not a forward to a TCP server; give one like tcp:10.0.2.100:80-tcp:127.0.0.1:8080`,
    );
  }
  const [, protocol = "", server = "", port = "", hostAddress = "", hostPort = ""] = found;
  const option = `guestfwd=${value}`;
  checkTcp(option, protocol);
  checkLoopback(option, hostAddress);
  return {
    server: { address: parseAddressOf("guestfwd", server), port: parsePort(option, port, 1) },
    hostPort: parsePort(option, hostPort, 1),
  };
}

function checkTcp(option: string, protocol: string): void {
  if (protocol !== "" && protocol !== "tcp")
    throw new BackendOptionError(`${option}: forwards carry TCP only; give tcp instead of ${protocol}`);
}

function checkLoopback(option: string, address: string): void {
  if (!LOOPBACK_NAMES.includes(address)) {
    throw new BackendOptionError(
      `${option}: forwards use the host's loopback interface only; give 127.0.0.1 instead of ${address}`,
    );
  }
}

function parsePort(option: string, text: string, least: number): number {
  const port = /^0\d/.test(text) ? Number.NaN : Number(text); // octal to QEMU, which nobody means
  if (port >= least && port <= 65_535) return port;
  throw new BackendOptionError(`${option}: ${text} is not a port; give ${least} to 65535`);
}

/** `name:address`: an entry of the name server's table. */
function addHost(hosts: Map<string, number[]>, value: string): void {
  const colon = value.lastIndexOf(":");
  const name = normalizeName(value.slice(0, Math.max(colon, 0)));
  const address = parseAddress(value.slice(colon + 1));
  if (!isDomainName(name) || address === null)
    throw new BackendOptionError(`x-host=${value}: not a host; give one like server.test:10.0.2.100`);
  hosts.set(name, [...(hosts.get(name) ?? []), address]);
}
