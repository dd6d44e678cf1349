/**
 * TCP between the guest and the host's loopback interface. The timing of input from the host is not deterministic, so
 * runs that use it do not repeat exactly.
 */
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { BackendOptionError } from "../../option-error.ts";
import type { GuestForward, HostForward } from "./options.ts";
import type { TcpConnection, TcpHandler } from "./tcp-connection.ts";
import type { UserNetwork } from "./user-network.ts";

const LOOPBACK = "127.0.0.1";

/** An active forward. */
export interface OpenForward {
  /** Port on the host. */
  readonly port: number;
  close(): void;
}

/**
 * Forwards connections to a host port into the guest.
 * @throws BackendOptionError when the port is not available.
 */
export async function forwardToGuest(network: UserNetwork, forward: HostForward): Promise<OpenForward> {
  const { hostPort, guest } = forward;
  const target = { address: guest.address === 0 ? network.guest : guest.address, port: guest.port };
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    try {
      join(socket, (handler) => network.connectTcp(target, handler));
    } catch {
      socket.destroy(); // too many connections
    }
  });
  const port = await listen(server, hostPort);
  return {
    port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Forwards connections to a virtual host's port to a server on the host. @throws Error when the port is taken. */
export function forwardToHost(network: UserNetwork, { server, hostPort }: GuestForward): void {
  network.listenTcp(server, (connection) => {
    const socket = createConnection({ host: LOOPBACK, port: hostPort, allowHalfOpen: true });
    let handler: TcpHandler = {};
    join(socket, (joined) => {
      handler = joined;
      return connection;
    });
    return handler;
  });
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "EADDRINUSE" ? "already in use" : error.message;
      reject(new BackendOptionError(`hostfwd: host port ${port}: ${reason}; give another port`));
    });
    server.listen(port, LOOPBACK, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** Passes data both ways, each as fast as the other side accepts it, until both have ended. */
function join(socket: Socket, open: (handler: TcpHandler) => TcpConnection): void {
  const connection = open({
    data(bytes) {
      if (!socket.write(bytes.slice())) connection.pause();
    },
    end: () => socket.end(),
    drain: () => socket.resume(),
    close(end) {
      if (end === "finished") socket.end();
      else socket.destroy();
    },
  });
  socket.on("data", (bytes: Uint8Array) => {
    if (!connection.write(bytes)) socket.pause();
  });
  socket.on("drain", () => connection.resumeReading());
  socket.on("end", () => connection.end());
  socket.on("error", () => connection.abort());
  socket.on("close", (failed) => {
    if (failed) connection.abort();
  });
}
