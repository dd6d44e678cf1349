/** User-mode network: virtual hosts within the process. */
export { formatAddress, parseAddress } from "./addresses.ts";
export type { Resolver } from "./dns.ts";
export { forwardToGuest, forwardToHost, type OpenForward } from "./host-sockets.ts";
export {
  type GuestForward,
  type HostForward,
  parseUserNetwork,
  USER_NETWORK_PROPERTIES,
  type UserNetworkConfiguration,
} from "./options.ts";
export type { TcpService } from "./tcp.ts";
export type { TcpConnection, TcpEnd, TcpHandler } from "./tcp-connection.ts";
export type { Endpoint } from "./udp.ts";
export { type FrameTaker, type UdpService, UserNetwork, type UserNetworkOptions } from "./user-network.ts";
