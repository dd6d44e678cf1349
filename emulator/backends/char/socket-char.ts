import { createConnection, createServer, type Server, type Socket } from "node:net";
import { StreamChar } from "./stream-char.ts";

/** Where a socket is: a path, or a port of the loopback interface. */
export type SocketPlace = { readonly path: string } | { readonly port: number };

const LOOPBACK = "127.0.0.1";

/** A line whose other end is a socket: one that it listens on, for one caller at a time, or one that it connects to. */
export class SocketChar extends StreamChar {
  private server: Server | null = null;
  private socket: Socket | null = null;

  /** Listens. Resolves once callers can come. @throws Error of node:net when the place cannot be had. */
  listen(place: SocketPlace): Promise<void> {
    const server = createServer((socket) => this.take(socket));
    server.maxConnections = 1;
    this.server = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen("path" in place ? { path: place.path } : { port: place.port, host: LOOPBACK }, resolve);
    });
  }

  /** Connects. @throws Error of node:net when nobody listens. */
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

  /** Port that it listens on; 0: none. */
  get port(): number {
    const address = this.server?.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  private take(socket: Socket): void {
    this.socket = socket;
    this.open(socket, socket);
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => {
      if (this.socket === socket) this.open(null, null);
    });
  }

  override close(): void {
    super.close();
    this.server?.close();
    this.server = null;
  }
}
