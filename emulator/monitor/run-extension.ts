import type { Command } from "commander";
import type { Terminal } from "#backends";
import { CommandError, tell } from "#host";
import { parseCount, type RunConnection, type RunControl, type RunExtension } from "#machine";
import { type GdbServer, listenForGdb } from "./gdb/server.ts";
import { Hmp } from "./hmp.ts";
import { MonitorPrompt } from "./prompt.ts";

/** The port of QEMU's `-s`. */
const USUAL_PORT = "1234";
const HIGHEST_PORT = 65_535;

export interface DebugOptions {
  readonly gdb?: string;
  readonly gdbUsual?: boolean;
  readonly freeze?: boolean;
}

/** Control of a run from outside: the monitor at Ctrl-A C, and gdb. */
export const runDebugging: RunExtension = {
  addOptions(command: Command): void {
    command
      .option("--gdb <port>", "wait for gdb on this port of 127.0.0.1; 0: any free port")
      .option("-s, --gdb-usual", `the same on port ${USUAL_PORT}`)
      .option("-S, --freeze", "do not start the guest; wait for gdb, or the monitor's cont");
  },

  async connect(control: RunControl, terminal: Terminal, options: DebugOptions): Promise<RunConnection> {
    const monitor = new Hmp(control);
    const execute = (line: string): string => monitor.execute(line);
    terminal.setMonitor(new MonitorPrompt(terminal, execute));
    const port = gdbPort(options);
    let server: GdbServer | null = null;
    if (port !== undefined) {
      server = await listenForGdb(port, control, execute);
      tell(`waiting for gdb at 127.0.0.1:${server.port}`);
    }
    if (options.freeze) control.stop();
    return { close: (end) => server?.close(end) };
  },
};

/** The port that gdb is waited for at; undefined: none. @throws CommandError when it is none */
export function gdbPort({ gdb, gdbUsual }: DebugOptions): number | undefined {
  const text = gdb ?? (gdbUsual ? USUAL_PORT : undefined);
  if (text === undefined) return undefined;
  const port = parseCount("--gdb", text, 0);
  if (port > HIGHEST_PORT) throw new CommandError(`--gdb ${text}: not a port; give 0 to ${HIGHEST_PORT}`);
  return port;
}
