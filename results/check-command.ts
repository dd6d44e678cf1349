/** Holds the options of a stored run against the commands that it says it was measured with. */
import type { JsonReader } from "./reader.ts";
import { type Run, SUITES } from "./schema.ts";

const BENCH = "npx regionlab bench";
/** The word that asks for counts rather than a suite. */
const COUNT = "count";

/** What measures builds of QEMU. Where its figures were added to a run, its command has a line of its own. */
const QEMU = `${BENCH} qemu`;

/** @throws CommandError (exit code 2) where an option is not the one that a command gives */
export function checkCommand({ options, schedule }: Run, r: JsonReader): void {
  const commands = options.command.split("\n");
  const own = commands.filter((line) => !line.startsWith(QEMU));
  const lines = own.length === 0 ? commands : own.filter((line) => line.startsWith(BENCH));
  const at = r.at("options");
  const because = "which follows from the command of the run";
  for (const line of lines) {
    const { words, given } = parse(line);
    const { A, B } = options.forms;
    const [forms = "embedded,owned"] = given.get("--regions") ?? [];
    if (forms !== `${A},${B}`)
      at.at("command").fail(`a command with --regions ${A},${B}, the forms of the run`);
    if (given.has("--quick") !== options.quick) at.at("quick").fail(`${!options.quick}, ${because}`);
    const seed = Number(given.get("--seed")?.[0]);
    if (seed !== options.seed) at.at("seed").fail(`${seed}, ${because}`);
    if (schedule.seed !== seed) r.at("schedule").at("seed").fail(`${seed}, ${because}`);
    if (own.length > 1) continue; // parts, whose options are put together
    const [shard = null] = given.get("--shard") ?? [];
    if (shard !== options.shard) at.at("shard").fail(`${JSON.stringify(shard)}, ${because}`);
    const [repeats] = given.get("--repeats") ?? [];
    if (repeats !== undefined && shard === null && Number(repeats) !== options.repeats)
      at.at("repeats").fail(`${repeats}, ${because}`);
    if (own.length === 0) continue; // QEMU's suites are those of its figures
    const named = words.filter((word) => word !== COUNT);
    const suites = words.length === 0 ? SUITES : named;
    if (!sameMembers(suites, options.suites)) at.at("suites").fail(`${JSON.stringify(suites)}, ${because}`);
    const guests = given.get("--workload");
    if (guests !== undefined && !sameMembers(guests, options.workloads))
      at.at("workloads").fail(`${JSON.stringify(guests)}, ${because}`);
  }
}

/** The words of a command, and its options with their values. */
function parse(line: string): { readonly words: readonly string[]; readonly given: Map<string, string[]> } {
  const words: string[] = [];
  const given = new Map<string, string[]>();
  let values = words;
  for (const token of line.slice(BENCH.length).split(" ").filter(Boolean)) {
    if (token.startsWith("--")) {
      values = [];
      given.set(token, values);
    } else values.push(token);
  }
  return { words, given };
}

function sameMembers(one: readonly string[], other: readonly string[]): boolean {
  return new Set(one).size === other.length && other.every((each) => one.includes(each));
}
