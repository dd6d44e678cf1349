/** The part of GDB's remote serial protocol that is needed to let a stopped QEMU run up to a breakpoint. */
import { connect, type Socket } from "node:net";

/** A connection to a gdb stub on a Unix socket. One request at a time. */
export class GdbRemote {
  private readonly socket: Socket;
  private received = "";
  private wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1").on("data", (text: string) => {
      this.received += text;
      this.wake();
    });
    socket.on("close", () => this.wake());
  }

  /** Connects; the stub must already be listening. */
  static async connect(path: string): Promise<GdbRemote> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
    });
    const remote = new GdbRemote(socket);
    // QEMU accepts writes of single registers only after it has described them (gdbstub, "P" packet).
    await remote.request("qXfer:features:read:target.xml:0,ffb");
    return remote;
  }

  async setRegister(number: number, value: bigint): Promise<void> {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    await this.expectOk(`P${number.toString(16)}=${bytes.toString("hex")}`);
  }

  async setBreakpoint(address: number): Promise<void> {
    await this.expectOk(`Z0,${address.toString(16)},4`);
  }

  /** Lets the machine run; resolves when it has stopped again. */
  async continue(): Promise<void> {
    const answer = await this.request("c");
    if (!/^[ST]05/.test(answer))
      throw new Error(`the machine stopped with "${answer}", not at the breakpoint`);
  }

  close(): void {
    this.socket.destroy();
  }

  private async expectOk(request: string): Promise<void> {
    const answer = await this.request(request);
    if (answer !== "OK") throw new Error(`the gdb stub answered "${answer}" to "${request}"`);
  }

  private async request(text: string): Promise<string> {
    const sum = Buffer.from(text, "latin1").reduce((total, byte) => (total + byte) & 0xff, 0);
    this.socket.write(`$${text}#${sum.toString(16).padStart(2, "0")}`, "latin1");
    for (;;) {
      const packet = /\$([^#]*)#..$/.exec(this.received)?.[1];
      if (packet !== undefined) {
        this.received = "";
        this.socket.write("+");
        return packet;
      }
      if (this.socket.destroyed) throw new Error(`the gdb stub closed the connection at "${text}"`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}
