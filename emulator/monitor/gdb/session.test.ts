/** Tests the protocol without gdb: packets that gdb does not send, or not on demand. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Terminal } from "#backends";
import { Emulation, loadHardware, RunControl, type RunEnd } from "#machine";
import { frame, PacketReader } from "./packet.ts";
import { type GdbServer, listenForGdb } from "./server.ts";

const LOOP = 0x0000_006f; // j .
/** Writes 0x23333 to the test finisher, which is exit code 2; in the order of memory, as packets have it. */
const FINISH = Buffer.from(
  Uint32Array.from([0x0010_0537, 0x0002_35b7, 0x3335_8593, 0x00b5_2023, LOOP]).buffer,
).toString("hex");

/** A terminal without a user. */
const NOBODY: Terminal = {
  interactive: false,
  open: false,
  write: () => {},
  flush: () => {},
  setMonitor: () => {},
  focusMonitor: () => {},
  print: () => {},
  congestion: () => null,
  inputOr: (_milliseconds, asked) => asked,
  close: () => {},
};

let folder: string;
let emulation: Emulation;
let control: RunControl;
let server: GdbServer;
let client: Client;
let ended: Promise<RunEnd>;

/** A client that collects the replies. */
class Client {
  readonly socket: Socket;
  private readonly answers: string[] = [];
  private readonly reader = new PacketReader();
  private wake: () => void = () => {};
  closed = false;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (chunk: Buffer) => {
      for (const received of this.reader.read(chunk))
        this.answers.push(
          received.kind === "packet" ? received.data.toString("latin1") : `<${received.kind}>`,
        );
      this.wake();
    });
    this.socket.on("close", () => {
      this.closed = true;
      this.wake();
    });
    this.socket.on("error", () => {});
  }

  /** The next packet, or undefined at the end of the connection. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const answer = this.answers.shift();
      if (answer !== undefined && answer !== "<acknowledged>") return answer;
      if (answer === undefined && this.closed) return undefined;
      if (answer === undefined)
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
    }
  }

  async ask(packet: string): Promise<string | undefined> {
    this.socket.write(frame(packet));
    return this.next();
  }
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-session-"));
  writeFileSync(join(folder, "guest.bin"), Uint32Array.from([LOOP]));
});

afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(async () => {
  const files = { kernel: join(folder, "guest.bin") };
  emulation = new Emulation({ hardware: await loadHardware("embedded"), ramBytes: 2 ** 22, files });
  control = new RunControl(emulation);
  server = await listenForGdb(0, control, (line) => `heard ${line}\n`);
  client = new Client(server.port);
  expect(await client.ask("?")).toBe("T05thread:1;");
  ended = control.run(NOBODY);
});

afterEach(async () => {
  control.quit();
  server.close(await ended);
  client.socket.destroy();
});

it("Ctrl-C stops a running guest with SIGINT", async () => {
  expect(control.paused).toBe(true);
  client.socket.write(frame("vCont;c"));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(control.paused).toBe(false);
  client.socket.write("\x03");
  expect(await client.next()).toBe("T02thread:1;");
  expect(emulation.instructions).toBeGreaterThan(6);
});

it("a step executes one instruction, whichever packet requests it", async () => {
  for (const packet of ["s", "vCont;s:1;c", "S05"]) {
    const before = emulation.instructions;
    expect(await client.ask(packet)).toBe("T05thread:1;");
    expect(emulation.instructions).toBe(before + 1);
  }
});

it("malformed steps and continues are errors, and do not resume the machine", async () => {
  for (const packet of [
    "szz",
    "czz",
    "s-1",
    "c 80000000",
    "S",
    "S5",
    "S05;zz",
    "C05;",
    "c;80000000",
    "Szz",
  ]) {
    expect(await client.ask(packet)).toBe("E16");
    expect(control.paused).toBe(true);
  }
});

it("memory is written by both packets, special characters included, and read back", async () => {
  expect(await client.ask("M80001000,4:24237d2a")).toBe("OK");
  expect(await client.ask("m80001000,4")).toBe("24237d2a");
  expect(await client.ask("X80001002,3:\x24\x23\x7d")).toBe("OK");
  expect(await client.ask("m80001000,6")).toBe("242324237d00");
  expect(await client.ask("m80001000,4000")).toHaveLength(0x4000 - 8); // no more than a packet holds
  expect(await client.ask("m8,4")).toBe("E0e");
  expect(await client.ask("Mfff,1:00")).toBe("E0e");
  expect(await client.ask("X80001000,0:")).toBe("OK");
});

it("malformed and unknown packets get the documented replies", async () => {
  expect(await client.ask("mxyz,4")).toBe("E16");
  expect(await client.ask("M80001000,4:00")).toBe("E16");
  expect(await client.ask("pffff")).toBe("E16");
  expect(await client.ask("P21=00")).toBe("E16");
  expect(await client.ask("Hg7")).toBe("E16");
  expect(await client.ask("T2")).toBe("E16");
  expect(await client.ask("T1")).toBe("OK");
  expect(await client.ask("Z9,0,4")).toBe("");
  expect(await client.ask("vMustReplyEmpty")).toBe("");
  expect(await client.ask("!")).toBe("");
  client.socket.write("$?#00");
  expect(await client.next()).toBe("<refused>");
});

it("monitor commands go to the monitor", async () => {
  const command = Buffer.from("info status").toString("hex");
  expect(await client.ask(`qRcmd,${command}`)).toBe(Buffer.from("heard info status\n").toString("hex"));
  for (const wrong of ["zz", "0", `${command}f`, "6 "])
    expect(await client.ask(`qRcmd,${wrong}`)).toBe("E16");
});

it("a second debugger is turned away, and a new one accepted after the first has left", async () => {
  const second = new Client(server.port);
  expect(await second.next()).toBeUndefined();
  expect(await client.ask("Z0,80000000,4")).toBe("OK");
  expect(await client.ask("D")).toBe("OK");
  expect(await client.next()).toBeUndefined();
  expect([control.paused, emulation.hart.debug.active]).toEqual([false, false]);
  const third = new Client(server.port);
  expect(await third.ask("?")).toBe("T05thread:1;");
  expect(control.paused).toBe(true);
  third.socket.destroy();
});

describe("a connection that closes without detaching", () => {
  it("is followed by the next debugger, however soon that connects", async () => {
    let last = client;
    for (let i = 0; i < 20; i++) {
      expect(await last.ask("?")).toBe("T05thread:1;");
      last.socket.end();
      last = new Client(server.port);
    }
    expect(await last.ask("D")).toBe("OK");
  });

  const gone = async (socket: Socket) => {
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
  };

  it("leaves a stopped machine stopped, without the breakpoints that were set", async () => {
    expect(await client.ask("Z0,80000000,4")).toBe("OK");
    await gone(client.socket);
    expect([control.paused, emulation.hart.debug.active]).toEqual([true, false]);
    const next = new Client(server.port);
    expect(await next.ask("?")).toBe("T05thread:1;");
    expect(await next.ask("D")).toBe("OK");
    expect(control.paused).toBe(false);
  });

  it("leaves a running machine running", async () => {
    client.socket.write(frame("c"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await gone(client.socket);
    expect(control.paused).toBe(false);
  });

  it("without having sent anything changes nothing, whether the machine is frozen or running", async () => {
    expect(control.paused).toBe(true);
    client.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await gone(new Client(server.port).socket);
    expect(control.paused).toBe(true);
    control.continue();
    const probe = new Client(server.port);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await gone(probe.socket);
    expect(control.paused).toBe(false);
  });
});

describe("a debugger that follows another at once", () => {
  /** How the one before leaves. */
  const departures: [string, (before: Client) => Promise<unknown> | unknown][] = [
    ["closed", (before) => before.socket.end()],
    ["was reset", (before) => before.socket.resetAndDestroy()],
    ["detached", (before) => before.ask("D")],
  ];

  /** The debugger after next, with the machine stopped for it. */
  async function follower(depart: (before: Client) => Promise<unknown> | unknown): Promise<Client> {
    let last = client;
    for (let i = 0; i < 2; i++) {
      await depart(last);
      last = new Client(server.port);
      expect(await last.ask("?")).toBe("T05thread:1;");
      expect(control.paused).toBe(true);
    }
    return last;
  }

  describe.each(departures)("that %s", (_, depart) => {
    it("hears of the guest's exit", async () => {
      const next = await follower(depart);
      expect(await next.ask(`M${address()},14:${FINISH}`)).toBe("OK");
      next.socket.write(frame("c"));
      expect(await ended).toBe("fail");
      server.close("fail");
      expect(await next.next()).toBe("W02");
      expect(await next.next()).toBeUndefined();
    });

    it("hears of the end of a run that something else has ended", async () => {
      const next = await follower(depart);
      next.socket.write(frame("c"));
      await new Promise((resolve) => setTimeout(resolve, 20));
      control.quit();
      server.close(await ended);
      expect(await next.next()).toBe("W00");
      expect(await next.next()).toBeUndefined();
    });

    it.each([
      ["k", undefined],
      ["vKill;1", "OK"],
    ])("may end the run by %s", async (packet, reply) => {
      const next = await follower(depart);
      next.socket.write(frame(packet));
      server.close(await ended);
      expect(await next.next()).toBe(reply);
      expect(await next.next()).toBeUndefined();
    });

    it("keeps its breakpoints, and the machine stopped", async () => {
      const next = await follower(depart);
      expect(await next.ask("Z0,80000000,4")).toBe("OK");
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect([control.paused, emulation.hart.debug.active]).toEqual([true, true]);
      expect(await next.ask("D")).toBe("OK");
    });
  });

  it("that has sent nothing finds a running machine, stops it, and leaves it running", async () => {
    expect(await client.ask("D")).toBe("OK");
    for (let i = 0; i < 5; i++) {
      const probe = new Client(server.port);
      await once(probe.socket, "connect");
      probe.socket.end();
    }
    const last = new Client(server.port);
    expect(await last.ask("?")).toBe("T05thread:1;");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(control.paused).toBe(true);
    expect(await last.ask("D")).toBe("OK");
    expect(control.paused).toBe(false);
  });

  /** Where the guest is, for a packet. */
  function address(): string {
    return BigInt.asUintN(64, emulation.hart.pc).toString(16);
  }
});

describe("a debugger that has detached but stays connected", () => {
  it("has no effect on the machine, and its connection is ended", async () => {
    const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
    let heard = "";
    socket.on("data", (chunk) => {
      heard += chunk;
    });
    const reset = new Promise<NodeJS.ErrnoException>((resolve) => socket.once("error", resolve));
    client.socket.end();
    socket.write(`${frame("D")}${frame("k")}`);
    const next = new Client(server.port);
    expect(await next.ask("?")).toBe("T05thread:1;");
    socket.write(`${frame("c")}${frame("k")}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([control.paused, heard]).toEqual([true, `+${frame("OK")}`]);
    const writing = setInterval(() => socket.write("+"), 50);
    expect((await reset).code).toMatch(/ECONNRESET|EPIPE/);
    clearInterval(writing);
    expect(await next.ask("?")).toBe("T05thread:1;");
    next.socket.destroy();
  });
});

it("actions that vCont does not offer are refused and do not resume the machine", async () => {
  for (const packet of [
    "vCont;t",
    "vCont;x",
    "vCont;t:1",
    "vCont;r80000000,80000010",
    "vCont;c:zz",
    "vCont;",
    "vCont;C",
  ]) {
    expect(await client.ask(packet)).toBe("");
    expect(control.paused).toBe(true);
  }
});

it("actions for a thread that does not exist are an error and do not resume the machine", async () => {
  for (const packet of ["vCont;s:99", "vCont;c:3", "vCont;C05:99;c", "vCont;s:1;c:99"]) {
    expect(await client.ask(packet)).toBe("E16");
    expect(control.paused).toBe(true);
  }
});

it("the guest's exit is reported with its code", async () => {
  expect(await client.ask(`M80000000,14:${FINISH}`)).toBe("OK");
  client.socket.write(frame("c"));
  expect(await ended).toBe("fail");
  server.close("fail");
  expect(await client.next()).toBe("W02");
});

it("kill ends the run", async () => {
  client.socket.write(frame("k"));
  expect(await ended).toBe("stopped");
});
