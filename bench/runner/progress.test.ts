import { describe, expect, it } from "vitest";
import { Progress } from "./progress.ts";

function watched(isTTY: boolean) {
  const written: string[] = [];
  let time = 0;
  const stream = { isTTY, write: (text: string) => written.push(text) };
  const advance = (milliseconds: number) => {
    time += milliseconds;
  };
  return { written, advance, progress: new Progress(stream, 8, () => time) };
}

describe("Progress", () => {
  it("writes one line per minute to a log, and nothing else", () => {
    const { written, advance, progress } = watched(false);
    for (let done = 0; done < 8; done++) {
      progress.update(done, "boot");
      advance(25_000);
    }
    progress.end();
    expect(written).toEqual(["3/8 boot, 75 s, about 125 s left\n", "6/8 boot, 150 s, about 50 s left\n"]);
  });

  it("shows only whole steps", () => {
    const { written, progress } = watched(true);
    progress.update(2.4, "count");
    expect(written[0]).toContain(" 2/8 count");
  });

  it("shows what is done, what is running, and how long it will take", () => {
    const { written, advance, progress } = watched(true);
    progress.update(0, "boot, arm A");
    advance(10_000);
    progress.update(2, "boot, arm B");
    expect(written[0]).toMatch(/░{24} 0\/8 boot, arm A, 0 s$/);
    expect(written[1]).toMatch(/█{6}░{18} 2\/8 boot, arm B, 10 s, about 30 s left$/);
  });

  it("leaves an empty line behind", () => {
    const { written, progress } = watched(true);
    progress.update(8, "done");
    progress.end();
    expect(written.at(-1)).toBe("\r\u001b[K");
  });
});
