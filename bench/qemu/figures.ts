/** Deterministic figures of one build of QEMU: allocations and instructions. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AllocationCounter, Allocations } from "./allocations.ts";
import { Session } from "./session.ts";

/** What a process does between its start and its end. */
export interface Work {
  readonly name: string;
  readonly args: readonly string[];
  /** Called with the number of rounds. */
  readonly run: (session: Session, rounds: number) => Promise<void>;
  /** Rounds of the short and of the long process; the difference belongs to the rounds. */
  readonly rounds: readonly [number, number];
}

/** Start, and the monitor's first answer. */
export function startOf(name: string, args: readonly string[]): Work {
  return { name: `start ${name}`, args: [...args, "-S"], run: async () => undefined, rounds: [0, 1] };
}

/** `device-list-properties` creates an object of the type, and destroys it. */
export function createAndDestroy(typename: string): Work {
  return {
    name: `create and destroy ${typename}`,
    args: ["-M", "virt", "-S"],
    run: async (session, rounds) => {
      for (let round = 0; round < rounds; round++)
        await session.command("device-list-properties", { typename });
    },
    rounds: [10, 1010],
  };
}

/** Plug and unplug behind a root port. The machine runs, with a guest that never answers: the monitor forces the release. */
export function plugAndUnplug(driver: string): Work {
  return {
    name: `plug and unplug ${driver}`,
    args: ["-M", "virt", "-S", "-device", "pcie-root-port,id=slot,hotplug=on"],
    run: async (session, rounds) => {
      for (let round = 0; round < rounds; round++) {
        await session.command("device_add", { driver, id: "it", bus: "slot", romfile: "" });
        await session.command("device_del", { id: "it" });
        await session.command("system_reset");
        await gone(session, "it");
      }
    },
    rounds: [10, 210],
  };
}

/** Waits until a device is not in the tree any more. */
async function gone(session: Session, id: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    const listed = await session.command("qom-list", { path: "/machine/peripheral" });
    if (!JSON.stringify(listed).includes(`"${id}"`)) return;
  }
  throw new Error(`${id} was not released by the reset`);
}

/** Allocations per round, and of a whole process. */
export async function allocationsOf(
  counter: AllocationCounter,
  build: string,
  { args, run }: Work,
  rounds: number,
): Promise<Allocations> {
  const session = await Session.start(build, args, { environment: counter.environment });
  await run(session, rounds);
  await session.quit();
  return counter.read();
}

/** Instructions of a whole process, in user mode, over all threads. */
export async function instructionsOf(build: string, { args, run }: Work, rounds: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "regionlab-qemu-"));
  const out = join(folder, "out");
  try {
    const session = await Session.start(build, args, {
      wrapper: [
        "valgrind",
        "--quiet",
        "--tool=cachegrind",
        "--cache-sim=no",
        "--smc-check=all-non-file",
        `--cachegrind-out-file=${out}`,
      ],
      timeout: 300_000,
    });
    await run(session, rounds);
    await session.quit();
    return Number(/^summary: (\d+)/m.exec(readFileSync(out, "latin1"))?.[1]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
