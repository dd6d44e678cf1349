import { lstatSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { OneClient, systemErrorCode } from "#host";
import { StreamChar } from "./stream-char.ts";

/** Address of a socket: a path, or a port on the loopback interface. */
export type SocketPlace = { readonly path: string } | { readonly port: number };

const LOOPBACK = "127.0.0.1";

/** A line connected to a socket: it listens for one client at a time, or connects to a server. */
export class SocketChar extends StreamChar {
  private connected: () => void = () => {};
  /** Resolves once there has been a client, or a connection. */
  readonly client = new Promise<void>((resolve) => {
    this.connected = resolve;
  });
  private server: Server | null = null;
  private readonly clients = new OneClient((socket) => this.take(socket));

  /**
   * Listens; resolves once clients can connect. A socket that a killed process has left at the path makes room.
   * @throws Error from node:net when the address is not available.
   */
  async listen(place: SocketPlace): Promise<void> {
    if ("path" in place && (await isAbandoned(place.path))) rmSync(place.path, { force: true });
    const server = createServer({ pauseOnConnect: true }, (socket) => this.clients.take(socket));
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen("path" in place ? { path: place.path } : { port: place.port, host: LOOPBACK }, resolve);
    });
  }

  /** Connects. @throws Error from node:net when the connection fails. */
  connect(place: SocketPlace): Promise<void> {
    const socket = createConnection(
      "path" in place ? { path: place.path } : { port: place.port, host: LOOPBACK },
    );
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.once("connect", () => {
        this.take(socket);
        resolve();
      });
    });
  }

  /** Port that it listens on; 0 if none. */
  get port(): number {
    const address = this.server?.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  private take(socket: Socket): void {
    this.open(socket, socket);
    this.connected();
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => this.open(null, null));
  }

  override close(): void {
    super.close();
    this.clients.close();
    this.server?.close();
    this.server = null;
  }
}

/** Whether a path leads to a socket that nobody listens on. */
function isAbandoned(path: string): Promise<boolean> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.once("error", (error) => resolve(systemErrorCode(error) === "ECONNREFUSED"));
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
  });
}
