/** Cache misses of an access, by valgrind's model of the processor's caches. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "#host";
import { markdownTable, plainTable, questionTitle } from "#results";
import { literally } from "../../counts/callgrind.ts";
import { checkBuild, Session } from "../session.ts";
import { inFolder, type Work, worksOf } from "../works.ts";

/** Rounds of the short and of the long process, whose difference belongs to the rounds. */
const ROUNDS = [1, 4] as const;
const TIMEOUT = 600_000;

/** Events of cachegrind, by its names, and what they are called here. */
const EVENTS = {
  Ir: "instructions",
  D1mr: "first level, reads",
  D1mw: "writes",
  DLmr: "last level, reads",
  DLmw: "writes",
};
type Event = keyof typeof EVENTS;
const NAMES = Object.keys(EVENTS) as Event[]; // its own keys
type Events = Readonly<Record<Event, number>>;

export async function compareMisses({ a, b }: { a: string; b: string }): Promise<string> {
  checkBuild("--a", a);
  checkBuild("--b", b);
  const rows: string[][] = [];
  for (const work of worksOf().filter(({ suite }) => suite === "dispatch")) {
    process.stderr.write(`${questionTitle(work)}\n`);
    const [left, right] = [await perUnit(a, work), await perUnit(b, work)];
    const [x, y] = [left, right].map((events) =>
      NAMES.map((name) => events[name].toFixed(name === "Ir" ? 1 : 4)),
    );
    rows.push([questionTitle(work), "A", ...(x ?? [])], ["", "B", ...(y ?? [])]);
  }
  return markdownTable(plainTable("", ["Per access", "", ...Object.values(EVENTS)], [2, 3, 4, 5, 6], rows));
}

async function perUnit(build: string, work: Work): Promise<Events> {
  const [few, many] = ROUNDS;
  const [short, long] = [await eventsOf(build, work, few), await eventsOf(build, work, many)];
  const units = (many - few) * work.rounds * work.units;
  return eventsBy((name) => (long[name] - short[name]) / units);
}

async function eventsOf(build: string, work: Work, blocks: number): Promise<Events> {
  return await inFolder(async (folder) => {
    const out = join(folder, "cachegrind");
    const session = await Session.start(build, work.args(folder), {
      wrapper: [
        ...["valgrind", "--quiet", "--tool=cachegrind", "--cache-sim=yes", "--smc-check=all-non-file"],
        `--cachegrind-out-file=${literally(out)}`,
      ],
      timeout: TIMEOUT,
    });
    try {
      await work.player?.(folder, build).play(session, blocks * work.rounds);
      await session.quit();
    } finally {
      await session.kill();
    }
    return parseEvents(readFileSync(out, "latin1"));
  });
}

/** Totals in the file that cachegrind writes: a line of names, and a line of numbers in the same order. */
export function parseEvents(text: string): Events {
  const line = (start: string) =>
    new RegExp(`^${start}: (.*)$`, "m").exec(text)?.[1]?.trim().split(/\s+/) ?? [];
  const [names, totals] = [line("events"), line("summary")];
  return eventsBy((name) => {
    const value = Number(totals[names.indexOf(name)]);
    if (Number.isFinite(value)) return value;
    throw new CommandError(
      `cachegrind counted no ${name}; the emulator was killed, or its caches are not known`,
      {
        exitCode: 1,
      },
    );
  });
}

function eventsBy(value: (name: Event) => number): Events {
  return Object.fromEntries(NAMES.map((name) => [name, value(name)])) as Events; // every name, once
}
