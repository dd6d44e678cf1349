import { describe, expect, it } from "vitest";
import { packageRoot } from "#workloads";
import { captureEnvironment, completeEnvironment } from "../environment.ts";
import type { ContestantName } from "./contestants.ts";
import { addUp, PROFILE_PARTS, partOf, profiled } from "./profile.ts";
import { timesToTexts } from "./race.ts";
import { CPU_SCHEMA_VERSION, judgeWork, type Samples, summarizeKinds } from "./report.ts";
import { planHeats } from "./schedule.ts";
import { renderCpuMarkdown } from "./tables.ts";
import type { Work } from "./works.ts";

const KERNEL: Work = {
  name: "sort",
  kind: "integer",
  description: "heap sort",
  guest: { ramBytes: 2 ** 28, kernel: "/sort.elf", milestones: ["lap 1", "lap 2"] },
};

describe("planHeats", () => {
  it("runs each contestant as often as asked, in palindromes, works by turns", () => {
    const heats = planHeats(
      [
        { work: "a", contestants: ["regionlab", "qemu"], repeats: 3 },
        { work: "b", contestants: ["qemu"], repeats: 1 },
      ],
      1,
    );
    expect(heats.map(({ work }) => work).join("")).toBe("aaaabaa");
    const order = heats.slice(0, 4).map(({ contestant }) => contestant);
    expect(order).toEqual([...order].reverse());
    expect(heats.filter(({ work, contestant }) => work === "a" && contestant === "qemu")).toHaveLength(3);
  });
});

type WholeTimes = Record<ContestantName, readonly number[]>;

/** Processes with one milestone each. */
function samplesOf({ regionlab = [], interpreter = [], qemu = [] }: Partial<WholeTimes>): Samples {
  const single = (times: readonly number[]) => times.map((time) => [time]);
  return { regionlab: single(regionlab), interpreter: single(interpreter), qemu: single(qemu) };
}

describe("judgeWork", () => {
  const judged = (times: Partial<WholeTimes>, work = KERNEL) => judgeWork(work, samplesOf(times));

  it("gives QEMU's time over ours, and says whether the goal is met", () => {
    const faster = judged({ regionlab: [10, 10, 10], qemu: [20, 20, 20], interpreter: [80] });
    expect(faster.speed?.estimate).toBeCloseTo(2, 12);
    expect(faster.speed?.low).toBeCloseTo(2, 12);
    expect(faster.gain?.estimate).toBe(8);
    expect(faster.kept).toBe(true);
    const slower = judged({ regionlab: [20, 22, 24], qemu: [10, 12, 11.5] });
    expect(slower.speed?.estimate).toBeCloseTo(((10 / 20) * (12 / 22) * (11.5 / 24)) ** (1 / 3), 12);
    expect(slower.speed?.low).toBeLessThan(0.5);
    expect(slower.speed?.high).toBeGreaterThan(0.5);
    expect(slower.kept).toBe(false);
  });

  it("separates later laps from the first", () => {
    const samples = { regionlab: [[900, 1000]], interpreter: [], qemu: [[400, 800, 1000]] };
    expect(judgeWork(KERNEL, samples)).toMatchObject({
      speed: { estimate: 1 },
      laterSpeed: { estimate: 6 },
    });
    expect(judged({ regionlab: [10], qemu: [20] }).laterSpeed).toBeNull();
  });

  it("judges nothing without a peer, and says why a work did not run", () => {
    expect(judged({ regionlab: [10] })).toMatchObject({ speed: null, kept: null, missing: null });
    expect(judged({}, { ...KERNEL, guest: { missing: "fetch it" } }).missing).toBe("fetch it");
  });

  it("summarizes a kind by the geometric mean", () => {
    const rows = [judged({ regionlab: [10], qemu: [40] }), judged({ regionlab: [10], qemu: [2.5] })];
    expect(summarizeKinds(rows)).toMatchObject([{ kind: "integer", kept: true }]);
    expect(summarizeKinds(rows)[0]?.speed).toBeCloseTo(1, 12);
    expect(summarizeKinds([judged({})])).toMatchObject([{ speed: null, kept: null }]);
  });
});

describe("the tables", () => {
  const table = (times: Partial<WholeTimes>, work = KERNEL) => {
    const rows = [judgeWork(work, samplesOf(times))];
    const contestants = [{ name: "qemu", title: "QEMU (TCG)", version: null, mend: "install it" }] as const;
    return renderCpuMarkdown({
      schema: "regionlab-cpu",
      version: CPU_SCHEMA_VERSION,
      environment: completeEnvironment(captureEnvironment(packageRoot(), []), 1),
      command: "npm run bench:cpu",
      seed: 1,
      contestants,
      rows,
      summaries: summarizeKinds(rows),
      profiles: [],
    });
  };

  it("show the goal next to the speed, and an interval only if there are several processes", () => {
    expect(table({ regionlab: [10], qemu: [20] })).toContain("| 2.00× | ≥ 1.00 | met |");
    expect(table({ regionlab: [20, 22, 24], qemu: [10, 12, 11] })).toMatch(
      /0\.50× \(0\.\d\d to 0\.\d\d\) \| ≥ 1\.00 \| not met/,
    );
  });

  it("say which contestant is missing, and why a work did not run", () => {
    expect(table({ regionlab: [10] })).toMatch(/not run[\s\S]*QEMU \(TCG\): not installed; install it/);
    expect(table({}, { ...KERNEL, guest: { missing: "fetch it" } })).toContain("not run: fetch it");
  });
});

describe("timesToTexts", () => {
  const node = (script: string) => ({ program: process.execPath, args: ["-e", script] });

  it("gives the time when the text appears, even in two pieces, and ends the process", async () => {
    const script =
      "process.stdout.write('he'); setTimeout(() => process.stdout.write('llo'), 50); setInterval(() => {}, 1e6)";
    expect(await timesToTexts(node(script), ["hello"], 30_000)).toEqual([expect.any(Number)]);
  });

  it("gives the times of several texts, in the order in which they appear", async () => {
    const script =
      "process.stdout.write('b a'); setTimeout(() => process.stdout.write('b'), 100); setInterval(() => {}, 1e6)";
    const [first = 0, second = 0, ...more] = await timesToTexts(node(script), ["a", "b"], 30_000);
    expect(second - first).toBeGreaterThan(50);
    expect(more).toEqual([]);
  });

  it("shows the output of a process that ended without the text", async () => {
    const script = "console.log('other'); console.error('trouble'); process.exitCode = 3";
    await expect(timesToTexts(node(script), ["hello"], 30_000)).rejects.toThrow(
      /exit code 3.*"hello".*other\ntrouble/s,
    );
  });

  it("gives up after the timeout, and on a program that does not exist", async () => {
    await expect(timesToTexts(node("setInterval(() => {}, 1e6)"), ["hello"], 300)).rejects.toThrow(
      "no result after 0.3 s",
    );
    await expect(timesToTexts({ program: "/nowhere", args: [] }, ["hello"], 300)).rejects.toThrow(
      "cannot be started",
    );
  });
});

describe("the profile", () => {
  it("recognises the parts by the files of their functions", () => {
    const part = (url: string, functionName = "f") => partOf({ url, functionName });
    expect(part("wasm://wasm/00d2")).toBe("translated code and interpreter");
    expect(part("file:///x/dist/emulator/cpu/riscv/translator/region.js")).toBe("translate");
    expect(part("file:///x/dist/emulator/cpu/riscv/hart/mmu.js")).toBe("page walks");
    expect(part("file:///x/dist/emulator/cpu/riscv/hart/hart.js")).toBe("traps, control registers and fetch");
    expect(part("file:///x/dist/emulator/hw/embedded/char/ns16550.js")).toBe("memory and devices");
    expect(part("file:///x/dist/emulator/machine/emulation.js")).toBe("run loop");
    expect(part("", "Module")).toBe("compile");
    expect(part("", "js-to-wasm:i:i")).toBe("calls between JavaScript and WebAssembly");
    expect(part("", "(garbage collector)")).toBe("garbage collection");
    expect(part("node:internal/x")).toBe("rest");
  });

  it("profiles a real run without losing time", () => {
    const started = performance.now();
    const profile = profiled(() => {
      const end = performance.now() + 100;
      while (performance.now() < end);
    });
    const elapsed = performance.now() - started;
    const parts = addUp(profile);
    const sum = PROFILE_PARTS.reduce((total, part) => total + parts[part], 0);
    expect(sum).toBeGreaterThan(90);
    expect(sum).toBeLessThan(elapsed + 1);
  });
});
