import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RingbufChar } from "#backends";
import type { CharBackend, CharDevice } from "#qdev";
import { ConsoleLog, TextMatcher } from "./console-log.ts";

/** A serial line that takes `room` bytes at a time. */
class Line implements CharDevice {
  backend: CharBackend | null = null;
  readonly received: number[] = [];
  room = 0;
  connect(backend: CharBackend | null): void {
    this.backend = backend;
  }
  canReceive(): number {
    return this.room;
  }
  receive(byte: number): void {
    this.room--;
    this.received.push(byte);
  }
  receiveBreak(): void {}
  print(text: string): void {
    for (const byte of new TextEncoder().encode(text)) this.backend?.write(byte);
  }
}

describe("text matcher", () => {
  it("finds a text exactly where a search in the whole stream does", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(letters, fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 60 }), (text, stream) => {
        const matcher = new TextMatcher(text);
        for (let end = 1; end <= stream.length; end++) {
          const byte = stream.charCodeAt(end - 1);
          expect(matcher.take(byte)).toBe(stream.slice(0, end).endsWith(text));
        }
      }),
    );
  });
});

describe("console log", () => {
  it("counts and hashes the output, and reports the milestone", () => {
    const line = new Line();
    const log = new ConsoleLog(line);
    let milestones = 0;
    log.onMilestone = () => milestones++;
    log.watchFor("=> ");
    const text = `U-Boot\n${"x".repeat(5000)}\n=> `;
    line.print(text);
    expect([log.bytes, milestones]).toEqual([text.length, 1]);
    expect(log.sha256()).toBe(createHash("sha256").update(text).digest("hex"));
    line.print("more");
    expect(log.sha256()).toBe(createHash("sha256").update(`${text}more`).digest("hex"));
  });

  it("answers prompts in turn, and types no faster than the device accepts", () => {
    const line = new Line();
    const log = new ConsoleLog(line);
    log.reply({ expect: "=> ", send: "bdinfo\n" }, { expect: "=> ", send: "poweroff\n" });
    line.room = 3;
    line.print("=> ");
    expect(String.fromCharCode(...line.received)).toBe("bdi");
    line.room = 16;
    line.backend?.acceptInput?.();
    line.print("...\n=> ");
    expect(String.fromCharCode(...line.received)).toBe("bdinfo\npoweroff\n");
  });

  it("forwards to another end, and still counts and answers", () => {
    const line = new Line();
    const log = new ConsoleLog(line);
    const host = new RingbufChar();
    log.leadTo(host);
    log.reply({ expect: "=> ", send: "help\n" });
    host.type(new TextEncoder().encode("reset\n"));
    line.room = 8;
    line.print("=> ");
    line.room = 16;
    line.backend?.acceptInput?.();
    expect(String.fromCharCode(...line.received)).toBe("help\nreset\n");
    expect([new TextDecoder().decode(host.read()), log.bytes]).toEqual(["=> ", 3]);
  });
});
