/**
 * The program itself. The build makes CommonJS of it: of a short run, Node would otherwise spend a fifth on finding
 * and linking modules (see docs/decisions/2026-11-30-starting-a-run.md).
 */
import { existsSync, readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import {
  asWritten,
  CommandError,
  cleanText,
  HelpRequest,
  nameOptions,
  tableOf,
  tell,
  watchStandardOutput,
} from "#host";

const WRONG_USE = 2;

/** Commands, with the component that provides each. Only that component is loaded: loading outlasts most commands. */
const COMMANDS = tableOf<(program: Command) => Promise<void>>({
  async run(program) {
    const [{ addRunCommand }, { runDebugging }] = await Promise.all([import("#machine"), import("#monitor")]);
    addRunCommand(program, [runDebugging]);
    await addMix(program, "run");
  },
  async bench(program) {
    const convert = async (pattern: string) => (await import("#codemods")).useTreesToCompare(pattern);
    (await import("#bench")).addBenchCommand(program, convert, mixDevices);
  },
  results: async (program) => (await import("#bench")).addResultsCommand(program),
  claims: async (program) => (await import("#bench")).addClaimsCommand(program, mixDevices),
  report: async (program) => (await import("#results")).addReportCommand(program),
  codemod: async (program) => (await import("#codemods")).addCodemodCommand(program),
  audit: async (program) => (await import("#codemods")).addAuditCommand(program),
  c: async (program) => (await import("#codemods")).addCCommand(program),
  async tree(program) {
    (await import("#monitor")).addTreeCommand(program);
    await addMix(program, "tree");
  },
});

async function mixDevices() {
  return await (await import("#codemods")).mixDevices();
}

/**
 * Adds the options by which devices are converted before a machine is made of them. Loading them takes as long as a short
 * run, so only where an option is not the command's own, or all are listed.
 */
async function addMix(program: Command, name: string): Promise<void> {
  const command = program.commands.find((each) => each.name() === name);
  if (command === undefined) return;
  const own = new Set([...longNames(command), ...longNames(program)]);
  const isOthers = (word: string) => /^--[^=]/.test(word) && !own.has(word.slice(2).replace(/=.*/s, ""));
  if (called === undefined || process.argv.some((word) => isOthers(word) || /^-h(?:elp)?$/.test(word)))
    (await import("#codemods")).addMixOptions(command);
}

watchStandardOutput();
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
  // What follows the name of a command is its own: `bench` and `bench qemu` have options of the same names.
  .enablePositionalOptions()
  .configureOutput({ outputError: (text, write) => write(usageError(text)) })
  .exitOverride();

/** The command that is called; undefined if it is none of those, in which case all are listed. */
const called = process.argv.slice(2).find((word) => COMMANDS.has(word));
const isAskedForVersion = ["--version", "-V"].includes(process.argv[2] ?? "");

void main();

async function main(): Promise<void> {
  await addCommands();
  try {
    await program.parseAsync(await inOurWords(verboseFirst(process.argv)));
  } catch (error) {
    process.exitCode = await report(error);
  }
}

/** Lets the option of the whole program stand anywhere. */
function verboseFirst(words: readonly string[]): string[] {
  const others = words.filter((word) => word !== "--verbose");
  return others.length === words.length ? others : [...others.slice(0, 2), "--verbose", ...others.slice(2)];
}

/** Adds the command that is called, or all. */
async function addCommands(): Promise<void> {
  if (called === undefined && !isAskedForVersion) {
    const [{ addCompletionCommand }, { acceptedWords }] = await Promise.all([
      import("./completion.ts"),
      import("#machine"),
    ]);
    addCompletionCommand(program, (command) =>
      takesQemuWords(command.name())
        ? acceptedWords(new Set(longNames({ options: command.options.filter(({ hidden }) => !hidden) })))
        : [],
    );
    for (const add of COMMANDS.values()) await add(program);
  } else if (called !== undefined) {
    await COMMANDS.get(called)?.(program);
  }
  for (const command of program.commands) command.exitOverride();
}

/** Reformats commander's usage errors like all other errors. */
function usageError(text: string): string {
  const message = cleanText(text)
    .trim()
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ")
    .replace(/\.$/, "");
  const [, word] = /^unknown option '(-.*)'/.exec(message) ?? [];
  const hints = [
    ...(word !== undefined && existsSync(word)
      ? ["; if the file of that name is meant, write -- before it"]
      : []),
    ...(called !== undefined && takesQemuWords(called) && message.startsWith("too many arguments")
      ? ["; give a guest as -kernel FILE, and a disk as -drive file=FILE,format=raw"]
      : []),
  ];
  return `regionlab: ${asWritten(message)}${hints.join("")}; see ${["regionlab", ...calledWords(), "--help"].join(" ")}\n`;
}

/** The words of the command and, if it has some, of its subcommand. */
function calledWords(): string[] {
  if (called === undefined) return [];
  const command = program.commands.find((each) => each.name() === called);
  const words = process.argv.slice(process.argv.indexOf(called) + 1);
  const subcommand = command?.commands.find((each) => words.includes(each.name()));
  return subcommand === undefined ? [called] : [called, subcommand.name()];
}

/** Long names of a command's options, without dashes. */
function longNames(command: Pick<Command, "options"> | undefined): string[] {
  return (command?.options ?? []).flatMap(({ long }) => long?.replace(/^--/, "") ?? []);
}

function takesQemuWords(name: string): boolean {
  return name === "run" || name === "tree";
}

/** Translates QEMU's options into our own. */
async function inOurWords(words: readonly string[]): Promise<string[]> {
  if (called === undefined || !takesQemuWords(called)) return [...words];
  const { fromQemu } = await import("#machine");
  const command = program.commands.find((each) => each.name() === called);
  const known = new Set(["help", ...longNames(command), ...longNames(program)]);
  const at = words.indexOf(called) + 1;
  const translation = fromQemu(words.slice(at), known);
  nameOptions(translation.asWritten);
  for (const warning of translation.warnings) tell(warning);
  return [...words.slice(0, at), ...translation.words];
}

/** Reports an error on standard error; returns the exit code. */
async function report(error: unknown): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USE; // commander has already reported it
  if (!(error instanceof Error)) throw error;
  if (error instanceof HelpRequest) {
    process.stdout.write(error.text);
    return 0;
  }
  const verbose = program.opts<{ verbose?: boolean }>().verbose === true;
  tell((verbose ? error.stack : undefined) ?? error.message);
  if (error instanceof CommandError) return error.exitCode;
  const { QomError } = await import("#qom");
  if (!(error instanceof QomError) && !verbose) {
    tell("this is a bug in regionlab; run again with --verbose and report it");
  }
  return WRONG_USE;
}
