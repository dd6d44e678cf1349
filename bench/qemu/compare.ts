/** Whether two builds of QEMU make the same machines. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "#host";
import { Session } from "./session.ts";
import { QUESTIONS, type SetUp } from "./set-ups.ts";

export interface Answers {
  /** By question. */
  readonly monitor: ReadonlyMap<string, string>;
  /** What the first serial console printed, up to the end of the banner; undefined if none is expected. */
  readonly console: string | undefined;
}

export interface Difference {
  readonly question: string;
  readonly a: string;
  readonly b: string;
}

/** An emulator that hangs is killed, however loaded the host. */
const TIMEOUT_MS = 600_000;

/** Starts a machine, asks, and waits for its banner. @throws CommandError if there is none */
export async function answersOf(build: string, setUp: SetUp): Promise<Answers> {
  const folder = mkdtempSync(join(tmpdir(), "regionlab-qemu-"));
  const serial = join(folder, "serial");
  try {
    const args = [...setUp.args, "-serial", `file:${serial}`, "-S"];
    const session = await Session.start(build, args, { timeout: TIMEOUT_MS });
    const monitor = new Map<string, string>();
    for (const question of QUESTIONS) monitor.set(question, await session.monitor(question));
    let text: string | undefined;
    if (setUp.banner !== undefined) {
      await session.command("cont");
      text = await bannerOf(serial, setUp.banner, session);
    }
    await session.quit();
    return { monitor, console: text };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Processor time that an emulator may take until OpenSBI has printed its tables: how long that is depends on the load. */
const PATIENCE_S = 30;
/** The last line of what OpenSBI prints before it jumps to the next stage, complete: the file may end anywhere in it. */
const LAST = /^Boot HART MEDELEG[^\r\n]*\r?\n/m;

/** What a console shows up to the end of the banner; undefined as long as that is not complete. */
export function bannerIn(text: string, banner: string): string | undefined {
  const last = LAST.exec(text);
  return last !== null && text.includes(banner) ? text.slice(0, last.index + last[0].length) : undefined;
}

async function bannerOf(file: string, banner: string, session: Session): Promise<string> {
  for (;;) {
    await session.command("query-status"); // fails if the emulator has ended
    const text = readFileSync(file, "latin1");
    const found = bannerIn(text, banner);
    if (found !== undefined) return found;
    if (processorSeconds(session.pid) > PATIENCE_S) {
      throw new CommandError(
        `no ${JSON.stringify(banner)} with its tables within ${PATIENCE_S} s of processor time; the console shows ${JSON.stringify(text.slice(-400))}`,
        { exitCode: 1 },
      );
    }
    await sleep(20);
  }
}

/** Processor time that a process has used. @see proc_pid_stat(5): fields 14 and 15, in ticks of 10 ms */
function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const [user = "0", system = "0"] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}

/**
 * An answer without what differs from run to run of one build: QEMU lists address spaces and flat views in the order of a
 * hash table of addresses of the host, and numbers the views in that order.
 */
export function comparable(question: string, text: string): string {
  const plain = text.replaceAll("\r", "");
  if (!question.startsWith("info mtree")) return plain;
  const blocks = plain.replace(/^FlatView #\d+$/gm, "FlatView").split("\n\n");
  return blocks.map(withSortedSpaces).sort().join("\n\n");
}

/** A flat view's list of the address spaces that show it has no order. */
function withSortedSpaces(block: string): string {
  const isSpace = (line: string): boolean => /^ AS "/.test(line);
  const lines = block.split("\n");
  const spaces = lines.filter(isSpace).sort();
  return lines.map((line) => (isSpace(line) ? (spaces.shift() ?? line) : line)).join("\n");
}

/** Where the answers of two builds differ. */
export function differencesOf(a: Answers, b: Answers): Difference[] {
  const found: Difference[] = [];
  for (const [question, answer] of a.monitor) {
    const other = b.monitor.get(question) ?? "";
    if (comparable(question, answer) !== comparable(question, other))
      found.push({ question, a: answer, b: other });
  }
  if (a.console !== b.console) found.push({ question: "console", a: a.console ?? "", b: b.console ?? "" });
  return found;
}
