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
  it("says nothing where nobody watches", () => {
    const { written, progress } = watched(false);
    progress.update(3, "boot");
    progress.end();
    expect(written).toEqual([]);
  });

  it("shows what is done, what goes on, and how long it will take", () => {
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
