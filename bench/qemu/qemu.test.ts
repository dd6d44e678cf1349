/** Against an installed QEMU, whatever its version, as both builds. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { isDifference, parseRun, questionTitle, serializeRun } from "#results";
import { Random } from "#results/statistics";
import { cacheFolder, packageRoot } from "#workloads";
import { locateValgrind } from "../counts/callgrind.ts";
import { captureEnvironment } from "../environment.ts";
import { AllocationCounter } from "./allocations.ts";
import { countOf } from "./counting.ts";
import { measure, runOf } from "./measure.ts";
import { Qtest } from "./qtest.ts";
import { emulatorOf, Session } from "./session.ts";
import { timesOf } from "./timing.ts";
import { describeStates, record, replay } from "./tools/replay.ts";
import { startOf } from "./tools/starts.ts";
import { consoleGuests, inFolder, type Work, worksOf } from "./works.ts";

/** The build that docs/qemu-measured.md describes, or an installed one. */
const build = [join(cacheFolder(), "qemu", "a", "build"), ...(process.env.PATH ?? "").split(delimiter)].find(
  (folder) => existsSync(emulatorOf(folder)),
);
if (build === undefined) process.stderr.write("bench/qemu: skipped, no qemu-system-riscv64 is installed\n");
/** The test device of QEMU 8.0 and older ends the process, not only the machine. */
const EARLIEST = 8.1;
const version =
  build === undefined
    ? 0
    : Number(
        /version (\d+\.\d+)/.exec(execFileSync(emulatorOf(build), ["--version"], { encoding: "utf8" }))?.[1],
      );
const PATIENCE = 120_000;

function workOf(title: string): Work {
  const found = worksOf().find((work) => questionTitle(work) === title);
  if (found === undefined) throw new Error(`no work is called ${title}`);
  return found;
}

/** Plays a work in one emulator. */
async function play(
  title: string,
  rounds: number,
  look: (session: Session) => Promise<void> | void = () => undefined,
) {
  const work = workOf(title);
  await inFolder(async (folder) => {
    const session = await Session.start(build ?? "", work.args(folder), { timeout: PATIENCE });
    try {
      await work.player?.(folder, build ?? "").play(session, rounds);
      await look(session);
    } finally {
      await session.kill();
    }
  });
}

describe.skipIf(build === undefined)("QEMU", { timeout: PATIENCE }, () => {
  it("destroys a device that was unplugged from a root port", async () => {
    await play("plug-unplug: plug and unplug", 2, async (session) => {
      expect(session.count("DEVICE_DELETED", "it")).toBe(2);
      const listed = await session.command("qom-list", { path: "/machine/peripheral" });
      expect(JSON.stringify(listed)).toContain('"root-port"');
      expect(JSON.stringify(listed)).not.toContain('"it"');
    });
  });

  it("makes as many reads by one command of qtest as by single ones", async () => {
    const work = workOf("probes: read 4 bytes, last section hit");
    await inFolder(async (folder) => {
      const session = await Session.start(build ?? "", work.args(folder));
      try {
        const qtest = new Qtest(`${folder}/qtest`);
        for (const [i, value] of [3, 5, 7].entries())
          await qtest.command(`writel ${0x0c00_0004 + 4 * i} ${value}`);
        const block = Buffer.from(await qtest.command(`b64read ${0x0c00_0000} ${64 * 4}`), "base64");
        for (let i = 0; i < 64; i++) {
          const single = Number(await qtest.command(`readl ${0x0c00_0000 + 4 * i}`));
          expect(block.readUInt32LE(4 * i)).toBe(single);
        }
        expect(block.readUInt32LE(8)).toBe(5);
        await expect(qtest.command("no-such-command")).rejects.toThrow(/qtest no-such-command: /);
      } finally {
        await session.kill();
      }
    });
  });

  it("runs guests to their end, again and again", async (context) => {
    if (version < EARLIEST) return context.skip(`QEMU ${version} ends when its guest does`);
    const title = "virt board: read of the UART, from the guest";
    await play(title, 2, (session) => expect(session.count("SHUTDOWN")).toBe(2));
    for (const boot of ["hello: reset to milestone", "opensbi: reset to milestone"]) {
      // The second process must do what the first one did.
      for (let process = 0; process < 2; process++)
        await play(boot, 1, (session) => expect(session.count("SHUTDOWN")).toBe(1));
    }
  });

  it("makes the same regions at each start of a machine", async () => {
    const [one, two] = [await startOf(build ?? ""), await startOf(build ?? "")];
    expect(one.regions).toBeGreaterThan(0);
    expect(two.regions).toBe(one.regions);
    expect(one.calls).toBeGreaterThan(10_000);
  });

  it("replays a recorded boot to the same instruction, with the same registers, memory and console", async (context) => {
    const [guest] = consoleGuests();
    if (guest === undefined) return context.skip("no firmware; run `npm run workloads:fetch`");
    await inFolder(async (folder) => {
      const recorded = await record(build ?? "", guest, folder);
      expect(recorded.console).toContain(guest.until);
      expect(recorded.instructions).toBeGreaterThan(1e6);
      expect(recorded.registers).toMatch(/pc +[0-9a-f]{16}/);
      const again = await replay(build ?? "", guest, folder, recorded);
      expect(again).toEqual(recorded);
      const earlier = await replay(build ?? "", guest, folder, {
        ...recorded,
        instructions: Math.round(recorded.instructions / 2),
      });
      expect(describeStates(recorded, earlier)).toMatch(/^other instructions, registers/);
    });
  });

  it("says which emulator ended, and why", async () => {
    await expect(Session.start(build ?? "", ["-M", "no-such-machine"])).rejects.toThrow(
      /qemu-system-riscv64 .*-M no-such-machine: ended with 1; it said: .*unsupported machine/s,
    );
  });

  it("counts twice as many instructions of twice the work", async (context) => {
    const valgrind = await locateValgrind();
    if (valgrind === null) return context.skip("valgrind is not installed");
    const host = { ...workOf("probes: read 4 bytes, last section hit"), rounds: 2 };
    const twice: Work = {
      ...host,
      player: (folder, build) => {
        const player = host.player?.(folder, build);
        return { play: async (session, rounds) => player?.play(session, 2 * rounds) };
      },
    };
    const [one, two] = [
      await countOf(build ?? "", host, valgrind),
      await countOf(build ?? "", twice, valgrind),
    ];
    expect(one).toBeGreaterThan(100);
    expect(two / one).toBeGreaterThan(1.9);
    expect(two / one).toBeLessThan(2.1);
  });

  it("times rounds of three processes by turns", async () => {
    const host = workOf("probes: read 4 bytes, last section hit");
    const folder = build ?? "";
    const times = await timesOf({ A: folder, B: folder, A2: folder }, host, "ns", Random.seeded(1, "test"));
    for (const arm of [times.A, times.B, times.A2]) {
      expect(arm.length).toBe(times.A.length);
      expect(Math.min(...arm)).toBeGreaterThan(0);
    }
  });

  it("measures a build against itself, and stores what can be read again", async () => {
    const counter = new AllocationCounter();
    const folder = build ?? "";
    try {
      const plan = {
        builds: { A: folder, B: folder, A2: folder },
        works: [workOf("create-destroy, riscv.sifive.uart: create and destroy")],
        quantities: ["memory"] as const,
        repeats: 2,
        seed: 3,
        command: "npx regionlab bench qemu memory --a /usr/bin --b /usr/bin --repeats 2 --seed 3",
      };
      const repeats: number[] = [];
      const measured = await measure(plan, {
        ...{ valgrind: null, counter, onProgress: () => undefined },
        onRepeat: ({ figures: [first] }) => {
          repeats.push(first?.samples.A.length ?? 0);
        },
      });
      expect(repeats).toEqual([1, 2]);
      const run = runOf(plan, measured, captureEnvironment(packageRoot(), []));
      expect(run.metrics.filter(({ comparison }) => isDifference(comparison.verdict))).toEqual([]);
      expect(parseRun(serializeRun(run), "run")).toEqual(run);
      expect(measured.allocations).toHaveLength(1);
    } finally {
      counter.remove();
    }
  });
});
