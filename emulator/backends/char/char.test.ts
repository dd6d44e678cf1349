import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { OutputFile } from "#host";
import { move } from "../testing/move.ts";
import type { CharLine } from "./char-line.ts";
import { FileChar } from "./file-char.ts";
import { RingbufChar } from "./ringbuf-char.ts";
import { SocketChar } from "./socket-char.ts";
import { StreamChar } from "./stream-char.ts";

/** A guest that takes `room` bytes. */
class Line implements CharLine {
  room = 0;
  text = "";
  canReceive(): number {
    return this.room;
  }
  receive(byte: number): void {
    this.room--;
    this.text += String.fromCharCode(byte);
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);
const print = (backend: { write(byte: number): void }, text: string) => {
  for (const byte of bytes(text)) backend.write(byte);
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-char-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("bytes towards the guest", () => {
  test("wait until it takes them, in order", () => {
    const backend = new RingbufChar();
    const line = new Line();
    backend.type(bytes("ab"));
    backend.type(bytes("cd"));
    backend.attach(line);
    expect([line.text, backend.waiting]).toEqual(["", 4]);
    line.room = 3;
    backend.acceptInput();
    expect([line.text, backend.waiting]).toEqual(["abc", 1]);
    line.room = 3;
    backend.type(bytes("ef"));
    expect([line.text, backend.waiting]).toEqual(["abcdef", 0]);
  });

  test("move with the machine", () => {
    const source = new RingbufChar();
    source.type(bytes("ab"));
    source.type(bytes("cd"));
    const first = new Line();
    first.room = 1;
    source.attach(first);
    const target = new RingbufChar();
    move(source, target);
    const line = new Line();
    line.room = 100;
    target.type(bytes("e"));
    target.attach(line);
    expect([first.text, line.text, target.waiting]).toEqual(["a", "bcde", 0]);
  });

  test("may be requested while one is being delivered", () => {
    const backend = new RingbufChar();
    const line = new Line();
    line.room = 100;
    line.receive = (byte) => {
      line.text += String.fromCharCode(byte);
      backend.acceptInput();
    };
    backend.type(bytes("abcdef"));
    backend.attach(line);
    expect(line.text).toBe("abcdef");
  });
});

describe("a file", () => {
  const fileChar = (path: string, growing: "emptied" | "appended" = "emptied") =>
    new FileChar(new OutputFile("-serial", path, { growing }));

  test("is emptied at the start, if a device uses it, and by nothing else", () => {
    const path = join(folder, "log");
    writeFileSync(path, "old");
    const unused = fileChar(path);
    unused.start();
    unused.close();
    expect(readFileSync(path, "utf8")).toBe("old");
    const used = fileChar(path);
    used.attach();
    expect(readFileSync(path, "utf8")).toBe("old");
    used.start();
    expect(readFileSync(path, "utf8")).toBe("");
    used.close();
  });

  test("holds what the guest sent, appended to its old content if requested", () => {
    const path = join(folder, "log");
    for (const [growing, expected] of [
      ["emptied", "x".repeat(5000)],
      ["appended", "x".repeat(10_000)],
      ["emptied", "x".repeat(5000)],
    ] as const) {
      const backend = fileChar(path, growing);
      print(backend, "x".repeat(5000));
      backend.close();
      backend.close();
      print(backend, "late");
      expect(readFileSync(path, "utf8")).toBe(expected);
    }
  });

  test("holds what was written once the guest's time slice is over", async () => {
    const path = join(folder, "log");
    const backend = fileChar(path);
    print(backend, "now");
    await new Promise((resolve) => setImmediate(resolve));
    expect(readFileSync(path, "utf8")).toBe("now");
    backend.close();
  });

  test("that cannot be opened is an error at once", () => {
    expect(() => fileChar(join(folder, "no", "log"))).toThrow(/its folder does not exist/);
  });
});

test("a ring buffer keeps the last bytes", () => {
  const backend = new RingbufChar(8);
  print(backend, "0123456789");
  expect(new TextDecoder().decode(backend.read())).toBe("23456789");
  print(backend, "ab");
  expect(new TextDecoder().decode(backend.read())).toBe("ab");
  expect(backend.read().length).toBe(0);
});

describe("a stream", () => {
  test("carries bytes both ways, and is paused while the guest takes none", async () => {
    const input = new PassThrough();
    const output = new PassThrough();
    const backend = new StreamChar();
    const line = new Line();
    backend.attach(line);
    backend.open(input, output);
    input.write(bytes("a".repeat(5000)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(input.isPaused()).toBe(true);
    line.room = 10_000;
    backend.acceptInput();
    expect([line.text.length, input.isPaused()]).toEqual([5000, false]);
    print(backend, "out");
    backend.flush();
    expect(String(output.read())).toBe("out");
    backend.close();
  });
});

describe("a socket", () => {
  test.each(["path", "port"] as const)("listens on a %s, for one client after the other", async (kind) => {
    const path = join(folder, "socket");
    const backend = new SocketChar();
    await backend.listen(kind === "path" ? { path } : { port: 0 });
    const line = new Line();
    line.room = 100;
    backend.attach(line);
    for (const round of ["1", "2"]) {
      const caller = kind === "path" ? connect(path) : connect(backend.port, "127.0.0.1");
      const heard = new Promise((resolve) => caller.once("data", (data) => resolve(String(data))));
      caller.write(`in${round}`);
      while (!line.text.endsWith(round)) await new Promise((resolve) => setTimeout(resolve, 5));
      print(backend, `out${round}`);
      expect(await heard).toBe(`out${round}`);
      caller.end(); // the next one does not wait for it to be heard
    }
    expect(line.text).toBe("in1in2");
    backend.close();
  });

  test("ends the connection of a client that has followed another at once, when it is closed", async () => {
    const backend = new SocketChar();
    await backend.listen({ port: 0 });
    const line = new Line();
    line.room = 100;
    backend.attach(line);
    const before = connect(backend.port, "127.0.0.1");
    await once(before, "connect");
    before.end();
    const caller = connect({ port: backend.port, host: "127.0.0.1", allowHalfOpen: true });
    let heard = "";
    caller.on("data", (data) => {
      heard += data;
    });
    caller.write("in");
    while (line.text !== "in") await new Promise((resolve) => setTimeout(resolve, 5));
    print(backend, "out");
    const ended = once(caller, "end");
    backend.close();
    await ended;
    expect([heard, await backend.dropped()]).toEqual(["out", 0]);
    caller.destroy();
  });

  test("takes the place of a socket that a killed process has left, and of nothing else", async () => {
    const path = join(folder, "left");
    const listen = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", listen, path]);
    expect(statSync(path).isSocket()).toBe(true);
    const backend = new SocketChar();
    await backend.listen({ path });
    const caller = connect(path);
    await once(caller, "connect");
    await expect(new SocketChar().listen({ path })).rejects.toThrow(/EADDRINUSE/);
    caller.destroy();
    backend.close();
    writeFileSync(join(folder, "file"), "kept");
    await expect(new SocketChar().listen({ path: join(folder, "file") })).rejects.toThrow(/EADDRINUSE/);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("kept");
  });

  test("connects to a server, and fails when there is none", async () => {
    const listening = new SocketChar();
    await listening.listen({ port: 0 });
    const line = new Line();
    line.room = 100;
    listening.attach(line);
    const calling = new SocketChar();
    await calling.connect({ port: listening.port });
    print(calling, "hello");
    while (line.text !== "hello") await new Promise((resolve) => setTimeout(resolve, 5));
    calling.close();
    listening.close();
    await expect(new SocketChar().connect({ path: join(folder, "nobody") })).rejects.toThrow(/ENOENT/);
  });
});
