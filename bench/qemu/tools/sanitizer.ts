/** Leaks and faults that the address and the undefined-behaviour sanitizer find while devices come and go. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "#host";
import { markdownTable, plainTable, questionTitle } from "#results";
import { checkBuild, emulatorOf, Session } from "../session.ts";
import { inFolder, type Work, worksOf } from "../works.ts";
import { run } from "./run.ts";

/** What the sanitizers said of one process. */
export interface Findings {
  readonly leaks: number;
  readonly bytes: number;
  /** Leaks whose stack passes through the memory core. */
  readonly ofRegions: number;
  /** Uses after free, overflows and other faults. */
  readonly faults: number;
  /** Messages of undefined behaviour. */
  readonly undefinedBehaviour: number;
}

/** Far slower than without sanitizers. */
const TIMEOUT = 600_000;
const ROUNDS = 20;

export async function compareLeaks({ a, b }: { a: string; b: string }): Promise<string> {
  checkBuild("--a", a);
  checkBuild("--b", b);
  const works = worksOf().filter(({ suite, player }) => suite === "retention" && player !== null);
  const rows: string[][] = [];
  for (const work of works) {
    process.stderr.write(`${questionTitle(work)}\n`);
    const [left, right] = [await findingsOf(a, work), await findingsOf(b, work)];
    rows.push([
      questionTitle(work),
      ...[left, right].flatMap(({ leaks, bytes, ofRegions }) => [`${leaks} (${bytes} B)`, `${ofRegions}`]),
      ...[left, right].map(({ faults, undefinedBehaviour }) => `${faults}, ${undefinedBehaviour}`),
    ]);
  }
  const head = ["A: leaks", "A: through the memory core", "B: leaks", "B: through the memory core"];
  return markdownTable(
    plainTable(
      "",
      [`${ROUNDS} rounds`, ...head, "A: faults, undefined behaviour", "B"],
      [1, 2, 3, 4, 5, 6],
      rows,
    ),
  );
}

async function findingsOf(build: string, work: Work): Promise<Findings> {
  return await inFolder(async (folder) => {
    const log = join(folder, "sanitizer");
    const environment = {
      ASAN_OPTIONS: `log_path=${log}:detect_leaks=1:exitcode=0:halt_on_error=0:fast_unwind_on_malloc=0`,
      UBSAN_OPTIONS: `log_path=${log}:print_stacktrace=0`,
    };
    const session = await Session.start(build, work.args(folder), { environment, timeout: TIMEOUT });
    try {
      await work.player?.(folder, build).play(session, ROUNDS);
      await session.quit();
    } finally {
      await session.kill();
    }
    const logs = readdirSync(folder).filter((name) => name.startsWith("sanitizer"));
    if (logs.length === 0 && !(await isSanitized(build)))
      throw new CommandError(
        `${build}: was not built with --enable-asan; configure it so, and build it again`,
      );
    return parseFindings(logs.map((name) => readFileSync(join(folder, name), "latin1")).join("\n"));
  });
}

/** A program with the address sanitizer tells what options it takes. */
async function isSanitized(build: string): Promise<boolean> {
  const { stderr } = await run(emulatorOf(build), ["--version"], { environment: { ASAN_OPTIONS: "help=1" } });
  return stderr.includes("AddressSanitizer");
}

/** Reads the reports of the sanitizers. */
export function parseFindings(text: string): Findings {
  const leaks = text.split(/^(?=(?:Direct|Indirect) leak of )/m).slice(1);
  const bytes = leaks.map((leak) => Number(/leak of (\d+) byte/.exec(leak)?.[1] ?? 0));
  return {
    leaks: leaks.length,
    bytes: bytes.reduce((sum, each) => sum + each, 0),
    ofRegions: leaks.filter((leak) => /\bin memory_region_/.test(leak)).length,
    faults: [...text.matchAll(/^==\d+==ERROR: AddressSanitizer: /gm)].length,
    undefinedBehaviour: [...text.matchAll(/: runtime error: /g)].length,
  };
}
