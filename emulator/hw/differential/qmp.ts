/** The part of QEMU's machine protocol that is needed to reset a machine and to look at its memory map. */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** A connection to QEMU's QMP server on a Unix socket. One command at a time. */
export class Qmp {
  private readonly socket: Socket;
  private readonly lines: AsyncIterator<string>;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  /** Connects; the server must already be listening. */
  static async connect(path: string): Promise<Qmp> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
    });
    const qmp = new Qmp(socket);
    await qmp.execute({ execute: "qmp_capabilities" });
    return qmp;
  }

  /** The answer of the human monitor, line by line. */
  async ask(command: string): Promise<string[]> {
    const answer = await this.execute({
      execute: "human-monitor-command",
      arguments: { "command-line": command },
    });
    if (typeof answer !== "string") throw new Error(`QEMU's monitor did not answer "${command}"`);
    return answer.trimEnd().split(/\r?\n/);
  }

  /** Resets the machine; resolves when it has been reset. */
  async reset(): Promise<void> {
    this.socket.write('{"execute":"system_reset"}\n');
    // The answer to the command comes before or after the event.
    let [answered, done] = [false, false];
    await this.next((message) => {
      answered ||= "return" in message;
      done ||= message.event === "RESET";
      return answered && done;
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private async execute(command: object): Promise<unknown> {
    this.socket.write(`${JSON.stringify(command)}\n`);
    return (await this.next((message) => "return" in message)).return;
  }

  private async next(isIt: (message: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (;;) {
      const { done, value } = await this.lines.next();
      if (done) throw new Error("QEMU closed the connection to its monitor");
      const message: Record<string, unknown> = JSON.parse(value);
      if ("error" in message) throw new Error(`QEMU refused a command: ${value}`);
      if (isIt(message)) return message;
    }
  }
}
