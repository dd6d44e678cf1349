import { type AddressInfo, createServer } from "node:net";
import { CommandError, OneClient } from "#host";
import type { RunControl, RunEnd } from "#machine";
import { GdbSession, type MonitorCommand } from "./session.ts";

/** Only programs on this computer may debug the guest: the protocol has no authentication. */
const HOST = "127.0.0.1";

export interface GdbServer {
  /** The port it listens on. */
  readonly port: number;
  /** Tells the debugger that the machine has ended, and stops listening. */
  close(end: RunEnd): void;
}

/**
 * Listens for debuggers and serves one at a time; a second one is turned away unless the first leaves. Port 0 picks any
 * free port.
 * @throws CommandError when it cannot listen on the port.
 */
export async function listenForGdb(
  port: number,
  control: RunControl,
  monitor: MonitorCommand,
): Promise<GdbServer> {
  let session: GdbSession | null = null;
  const clients = new OneClient((socket) => {
    session = new GdbSession(socket, control, monitor, () => {
      session = null;
      clients.release(socket);
    });
  });
  const server = createServer({ pauseOnConnect: true }, (socket) => clients.take(socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "EADDRINUSE" ? "the port is in use" : (error.code ?? error.message);
      reject(new CommandError(`--gdb ${port}: ${reason}; give another port, or 0 for any`));
    });
    server.listen(port, HOST, resolve);
  });
  control.held = true;
  return {
    port: (server.address() as AddressInfo).port, // a server that listens on a TCP port has such an address
    close(end) {
      clients.close();
      session?.end(end);
      server.close();
    },
  };
}
