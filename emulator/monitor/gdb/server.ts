import { type AddressInfo, createServer } from "node:net";
import { CommandError } from "#host";
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
 * Listens for debuggers and serves one at a time; a second one is turned away. Port 0 picks any free port.
 * @throws CommandError when it cannot listen on the port.
 */
export async function listenForGdb(
  port: number,
  control: RunControl,
  monitor: MonitorCommand,
): Promise<GdbServer> {
  let session: GdbSession | null = null;
  const server = createServer((socket) => {
    if (session !== null) {
      socket.destroy();
      return;
    }
    session = new GdbSession(socket, control, monitor, () => {
      session = null;
    });
  });
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
      session?.end(end);
      server.close();
    },
  };
}
