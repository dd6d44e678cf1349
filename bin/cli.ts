#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { CommandError, cleanText, onEndSignal, watchStandardOutput } from "#host";
import { addCompletionCommand } from "./completion.ts";

const WRONG_USE = 2;

/** Commands, and the room that brings each. A room takes longer to load than most commands take: only that one is. */
const COMMANDS: Readonly<Record<string, (program: Command) => Promise<void>>> = {
  async run(program) {
    const [{ addRunCommand }, { runDebugging }] = await Promise.all([import("#machine"), import("#monitor")]);
    addRunCommand(program, [runDebugging]);
  },
  bench: async (program) => (await import("#bench")).addBenchCommand(program),
  results: async (program) => (await import("#bench")).addResultsCommand(program),
  report: async (program) => (await import("#results")).addReportCommand(program),
  codemod: async (program) => (await import("#codemods")).addCodemodCommand(program),
  audit: async (program) => (await import("#codemods")).addAuditCommand(program),
  tree: async (program) => (await import("#monitor")).addTreeCommand(program),
};

watchStandardOutput();
onEndSignal((exitCode) => process.exit(exitCode));
// Before any room is loaded: what shows where an error came from shows the sources, not what they were packed into.
if (process.argv.includes("--verbose")) process.setSourceMapsEnabled(true);

const manifest: { version: string } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
);

const program = new Command("regionlab")
  .description(
    "measures what it is worth whether a device embeds its memory regions or the object model owns them",
  )
  .version(manifest.version)
  .option("--verbose", "show where an error came from")
  .configureOutput({ outputError: (text, write) => write(inOneLine(text)) })
  .exitOverride();

/** The command that is called; undefined: none of those, so that all are to be listed. */
const called = process.argv.slice(2).find((word) => Object.hasOwn(COMMANDS, word));
if (called === undefined) addCompletionCommand(program);
for (const [name, add] of Object.entries(COMMANDS))
  if (called === undefined || name === called) await add(program);
for (const command of program.commands) command.exitOverride();

try {
  await program.parseAsync(await inOurWords(process.argv));
} catch (error) {
  process.exitCode = await report(error);
}

/** What commander has to say of a wrong use, as every other error is said. */
function inOneLine(text: string): string {
  const message = cleanText(text)
    .trim()
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ")
    .replace(/\.$/, "");
  return `regionlab: ${message}; see regionlab ${called === undefined ? "" : `${called} `}--help\n`;
}

/** A machine may be described in QEMU's words. */
async function inOurWords(words: readonly string[]): Promise<string[]> {
  if (called !== "run" && called !== "tree") return [...words];
  const { fromQemu } = await import("#machine");
  const command = program.commands.find((each) => each.name() === called);
  const options = [...(command?.options ?? []), ...program.options];
  const known = new Set(["help", ...options.flatMap(({ long }) => long?.replace(/^--/, "") ?? [])]);
  const at = words.indexOf(called) + 1;
  return [...words.slice(0, at), ...fromQemu(words.slice(at), known)];
}

/** Tells the user what went wrong, on standard error; answers the exit code. */
async function report(error: unknown): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USE; // commander has spoken already
  if (!(error instanceof Error)) throw error;
  const verbose = program.opts<{ verbose?: boolean }>().verbose === true;
  process.stderr.write(`regionlab: ${verbose ? error.stack : error.message}\n`);
  if (error instanceof CommandError) return error.exitCode;
  const { QomError } = await import("#qom");
  if (!(error instanceof QomError) && !verbose) {
    process.stderr.write(
      "regionlab: this is a defect of regionlab; run again with --verbose and report it\n",
    );
  }
  return WRONG_USE;
}
