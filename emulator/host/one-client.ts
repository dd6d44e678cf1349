import type { Socket } from "node:net";

/**
 * How long a client waits for the one before it, in milliseconds: one that has closed its connection may be heard of after
 * the next has connected.
 */
const PATIENCE = 1000;

/**
 * Serves the connections of a server one at a time. A client that connects while another is served waits, as in the
 * backlog of a server that accepts no more, and is turned away if the other stays. The next one is served only after the
 * listeners that `serve` has added have heard of the end of the one before. The server must be created with
 * `pauseOnConnect`, so that nothing that a waiting client sends is lost.
 */
export class OneClient {
  private readonly serve: (socket: Socket) => void;
  private served: Socket | null = null;
  private readonly waiting: Socket[] = [];

  constructor(serve: (socket: Socket) => void) {
    this.serve = serve;
  }

  take(socket: Socket): void {
    if (this.served === null) {
      this.begin(socket);
      return;
    }
    this.waiting.push(socket);
    socket.on("error", () => {}); // "close" follows
    const timer = setTimeout(() => this.turnAway(socket), PATIENCE);
    timer.unref();
    socket.once("close", () => this.turnAway(socket));
  }

  /** To be called when a client is not to be served any more, whether or not it has closed its connection. */
  release(socket: Socket): void {
    if (this.served !== socket) return;
    this.served = null;
    const next = this.waiting.shift();
    if (next !== undefined) this.begin(next);
  }

  /** Turns away who still waits. */
  close(): void {
    for (const socket of this.waiting.splice(0)) socket.destroy();
  }

  private begin(socket: Socket): void {
    this.served = socket;
    this.serve(socket);
    socket.once("close", () => this.release(socket)); // after the listeners of `serve`
    socket.resume();
  }

  private turnAway(socket: Socket): void {
    const index = this.waiting.indexOf(socket);
    if (index < 0) return;
    this.waiting.splice(index, 1);
    socket.destroy();
  }
}
