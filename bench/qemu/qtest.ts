/** QEMU's protocol for tests: a line for each command, answered by a line that begins with OK. */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { CommandError } from "#host";

export class Qtest {
  private readonly socket: Socket;
  private readonly waiting: { resolve: (answer: string) => void; reject: (error: Error) => void }[] = [];

  /** @param path of the socket on which the emulator listens */
  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on("error", (error) => this.fail(error));
    this.socket.on("close", () => this.fail(new Error("the emulator has ended")));
    createInterface({ input: this.socket, crlfDelay: Number.POSITIVE_INFINITY })
      .on("line", (line) => {
        // Lines about interrupts come unasked.
        if (!line.startsWith("IRQ")) this.waiting.shift()?.resolve(line);
      })
      .on("error", () => undefined);
    this.socket.unref();
  }

  /** @returns what follows OK @throws CommandError if the command fails */
  async command(line: string): Promise<string> {
    const answer = await new Promise<string>((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.socket.write(`${line}\n`);
    });
    if (answer !== "OK" && !answer.startsWith("OK "))
      throw new CommandError(`qtest ${line}: ${answer}`, { exitCode: 1 });
    return answer.slice(3);
  }

  private fail(error: Error): void {
    for (const { reject } of this.waiting.splice(0)) reject(new CommandError(`qtest: ${error.message}`));
  }
}
