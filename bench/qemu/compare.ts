/** Whether two builds of QEMU make the same machines. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
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

/** Starts a machine, waits for its banner, and asks. */
export async function answersOf(build: string, setUp: SetUp): Promise<Answers> {
  const folder = mkdtempSync(join(tmpdir(), "regionlab-qemu-"));
  const serial = join(folder, "serial");
  try {
    const session = await Session.start(build, [...setUp.args, "-serial", `file:${serial}`, "-S"]);
    const monitor = new Map<string, string>();
    for (const question of QUESTIONS) monitor.set(question, await session.monitor(question));
    let text: string | undefined;
    if (setUp.banner !== undefined) {
      await session.command("cont");
      text = await bannerOf(serial, setUp.banner);
    }
    await session.quit();
    return { monitor, console: text };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How long OpenSBI may take to print its tables. */
const PATIENCE_MS = 30_000;
/** The last line of what OpenSBI prints before it jumps to the next stage. */
const LAST = /^Boot HART MEDELEG.*$/m;

async function bannerOf(file: string, banner: string): Promise<string> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const text = readFileSync(file, "latin1");
    const last = LAST.exec(text);
    if (last !== null && text.includes(banner)) return text.slice(0, last.index + last[0].length);
    if (performance.now() > until) return `no banner within ${PATIENCE_MS / 1000} s: ${text}`;
    await sleep(20);
  }
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
