#!/usr/bin/env node
import { readFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { Command, CommanderError } from "commander";
import { CommandError, cleanText, onEndSignal, watchStandardOutput } from "#host";

const WRONG_USE = 2;

/** Commands, with the component that provides each. Only that component is loaded: loading outlasts most commands. */
const COMMANDS: Readonly<Record<string, (program: Command) => Promise<void>>> = {
  async run(program) {
    const [{ addRunCommand }, { runDebugging }] = await Promise.all([import("#machine"), import("#monitor")]);
    addRunCommand(program, [runDebugging]);
    await addMix(program, "run");
  },
  async bench(program) {
    const [{ addBenchCommand }, { mixDevices, useTreesToCompare }] = await Promise.all([
      import("#bench"),
      import("#codemods"),
    ]);
    addBenchCommand(program, useTreesToCompare, mixDevices);
  },
  results: async (program) => (await import("#bench")).addResultsCommand(program),
  async claims(program) {
    const [{ addClaimsCommand }, { mixDevices }] = await Promise.all([import("#bench"), import("#codemods")]);
    addClaimsCommand(program, mixDevices);
  },
  report: async (program) => (await import("#results")).addReportCommand(program),
  codemod: async (program) => (await import("#codemods")).addCodemodCommand(program),
  audit: async (program) => (await import("#codemods")).addAuditCommand(program),
  c: async (program) => (await import("#codemods")).addCCommand(program),
  async tree(program) {
    (await import("#monitor")).addTreeCommand(program);
    await addMix(program, "tree");
  },
};

/** Adds the options by which devices are converted before a machine is made of them. */
async function addMix(program: Command, name: string): Promise<void> {
  const command = program.commands.find((each) => each.name() === name);
  if (command !== undefined) (await import("#codemods")).addMixOptions(command);
}

// Node 22.1 and later can keep what they compile on disk (in its folder for temporary files, see NODE_COMPILE_CACHE).
const { enableCompileCache } = nodeModule as { readonly enableCompileCache?: () => unknown };
enableCompileCache?.();

watchStandardOutput();
onEndSignal((exitCode) => process.exit(exitCode));
// Before any component is loaded, so that stack traces refer to the sources, not to the bundle.
if (process.argv.includes("--verbose")) process.setSourceMapsEnabled(true);

const manifest: { version: string } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
);

const program = new Command("regionlab")
  .description(
    "measures the difference between devices that embed their memory regions and regions owned by the object model",
  )
  .version(manifest.version)
  .option("--verbose", "show the stack trace of an error")
  .configureOutput({ outputError: (text, write) => write(usageError(text)) })
  .exitOverride();

/** The command that is called; undefined if it is none of those, in which case all are listed. */
const called = process.argv.slice(2).find((word) => Object.hasOwn(COMMANDS, word));
const isAskedForVersion = ["--version", "-V"].includes(process.argv[2] ?? "");
if (called === undefined && !isAskedForVersion) {
  (await import("./completion.ts")).addCompletionCommand(program);
  for (const add of Object.values(COMMANDS)) await add(program);
} else if (called !== undefined) {
  await COMMANDS[called]?.(program);
}
for (const command of program.commands) command.exitOverride();

/** A message with each option as the user wrote it. */
let asWritten = (message: string): string => message;

try {
  await program.parseAsync(await inOurWords(process.argv));
} catch (error) {
  process.exitCode = await report(error);
}

/** Reformats commander's usage errors like all other errors. */
function usageError(text: string): string {
  const message = cleanText(text)
    .trim()
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ")
    .replace(/\.$/, "");
  return `regionlab: ${message}; see ${["regionlab", ...calledWords(), "--help"].join(" ")}\n`;
}

/** The words of the command and, if it has some, of its subcommand. */
function calledWords(): string[] {
  if (called === undefined) return [];
  const command = program.commands.find((each) => each.name() === called);
  const words = process.argv.slice(process.argv.indexOf(called) + 1);
  const subcommand = command?.commands.find((each) => words.includes(each.name()));
  return subcommand === undefined ? [called] : [called, subcommand.name()];
}

/** Translates QEMU's options of `run` and `tree` into our own. */
async function inOurWords(words: readonly string[]): Promise<string[]> {
  if (called !== "run" && called !== "tree") return [...words];
  const { fromQemu } = await import("#machine");
  const command = program.commands.find((each) => each.name() === called);
  const options = [...(command?.options ?? []), ...program.options];
  const known = new Set(["help", ...options.flatMap(({ long }) => long?.replace(/^--/, "") ?? [])]);
  const at = words.indexOf(called) + 1;
  const translation = fromQemu(words.slice(at), known);
  asWritten = translation.asWritten;
  return [...words.slice(0, at), ...translation.words];
}

/** Reports an error on standard error; returns the exit code. */
async function report(error: unknown): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USE; // commander has already reported it
  if (!(error instanceof Error)) throw error;
  const verbose = program.opts<{ verbose?: boolean }>().verbose === true;
  process.stderr.write(`regionlab: ${verbose ? error.stack : asWritten(error.message)}\n`);
  if (error instanceof CommandError) return error.exitCode;
  const { QomError } = await import("#qom");
  if (!(error instanceof QomError) && !verbose) {
    process.stderr.write("regionlab: this is a bug in regionlab; run again with --verbose and report it\n");
  }
  return WRONG_USE;
}
