/**
 * One boot, instruction by instruction, in both builds: recorded in A, then replayed in A and in B up to the same instruction,
 * where all that the guest has must be the same. A replay that strays from the record ends with an error.
 *
 * @see docs/system/replay.rst of QEMU
 */
import { createHash } from "node:crypto";
import { createReadStream, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "#host";
import { markdownTable, plainTable } from "#results";
import { checkBuild, Session } from "../session.ts";
import { type ConsoleGuest, consoleGuests, inFolder, shown } from "../works.ts";
import { lastWords } from "./realize.ts";

/** Milliseconds after which an emulator is ended: a replay that strays may also wait for ever. */
const TIMEOUT = 1_200_000;
const RAM_START = 0x8000_0000;

/** What a guest has at one instruction. */
export interface GuestState {
  /** Instructions since the start of the machine. */
  readonly instructions: number;
  readonly registers: string;
  /** Digest of all of its RAM. */
  readonly memory: string;
  readonly console: string;
}

export async function compareReplays({ a, b }: { a: string; b: string }): Promise<string> {
  checkBuild("--a", a);
  checkBuild("--b", b);
  const guests = consoleGuests();
  if (guests.length === 0) throw new CommandError("no guest to boot: run `npm run workloads:fetch`");
  const rows: string[][] = [];
  for (const guest of guests) {
    await inFolder(async (folder) => {
      const recorded = await record(a, guest, folder);
      const again = async (build: string): Promise<string> =>
        await verdictOf(recorded, () => replay(build, guest, folder, recorded));
      rows.push([guest.name, `${recorded.instructions}`, await again(a), await again(b)]);
    });
  }
  return markdownTable(
    plainTable("", ["Recorded in A up to its prompt", "instructions", "replayed in A", "in B"], [1], rows),
  );
}

/** Boots a guest up to its text, and leaves the record in a folder. */
export async function record(build: string, guest: ConsoleGuest, folder: string): Promise<GuestState> {
  return await withGuest("record", build, guest, folder, async (session, serial) => {
    await session.command("cont");
    await shown(serial, guest.until);
    await session.command("stop");
  });
}

/** Replays the record of a folder. @throws CommandError if the guest strays from it */
export async function replay(
  build: string,
  guest: ConsoleGuest,
  folder: string,
  { instructions }: GuestState,
): Promise<GuestState> {
  return await withGuest("replay", build, guest, folder, async (session) => {
    await session.command("replay-break", { icount: instructions });
    const stops = session.count("STOP");
    await session.command("cont");
    await session.until("STOP", stops + 1);
  });
}

async function withGuest(
  mode: "record" | "replay",
  build: string,
  guest: ConsoleGuest,
  folder: string,
  go: (session: Session, serial: string) => Promise<void>,
): Promise<GuestState> {
  const [serial, dump] = [join(folder, `${mode}-serial`), join(folder, "memory")];
  const clock = ["-icount", `shift=0,rr=${mode},rrfile=${join(folder, "log")}`];
  const session = await Session.start(build, [...guest.args(serial), ...clock], { timeout: TIMEOUT });
  try {
    await go(session, serial);
    const size = await numberOf(session, "query-memory-size-summary", "base-memory");
    await session.command("pmemsave", { val: RAM_START, size, filename: dump });
    const state = {
      instructions: await numberOf(session, "query-replay", "icount"),
      registers: await session.monitor("info registers -a"),
      memory: await digestOf(dump),
      console: readFileSync(serial, "latin1"),
    };
    if (mode === "record") {
      // Beyond this instruction: a replay that reaches the end of the record ends the emulator.
      await session.command("cont");
      await sleep(100);
    }
    await session.quit(); // completes the record
    return state;
  } finally {
    await session.kill();
    rmSync(dump, { force: true });
  }
}

/** One member of what a command answers. */
async function numberOf(session: Session, command: string, member: string): Promise<number> {
  const answer = await session.command(command);
  const value = typeof answer === "object" && answer !== null ? Object.entries(answer) : [];
  return Number(value.find(([name]) => name === member)?.[1]);
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}

async function verdictOf(recorded: GuestState, make: () => Promise<GuestState>): Promise<string> {
  try {
    return describeStates(recorded, await make());
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return lastWords(error.message);
  }
}

/** Says what of a guest differs. */
export function describeStates(a: GuestState, b: GuestState): string {
  const names = ["instructions", "registers", "memory", "console"] as const;
  const different = names.filter((name) => a[name] !== b[name]);
  return different.length === 0 ? "the same registers, memory and console" : `other ${different.join(", ")}`;
}
