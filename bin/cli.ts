#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addBenchCommand } from "#bench";
import { addAuditCommand, addCodemodCommand } from "#codemods";
import { addRunCommand, SINGLE_DASH_OPTIONS } from "#machine";
import { addTreeCommand, runDebugging } from "#monitor";
import { QomError } from "#qom";
import { addReportCommand } from "#results";

const WRONG_USE = 2;

/** An error that knows the exit code it stands for: each room has its own. */
interface ExpectedError extends Error {
  readonly exitCode: number;
}

const manifest: { version: string } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
);

const program = new Command("regionlab")
  .description(
    "measures what it is worth whether a device embeds its memory regions or the object model owns them",
  )
  .version(manifest.version)
  .option("--verbose", "show where an error came from")
  .showHelpAfterError("(see regionlab --help)")
  .exitOverride();

addRunCommand(program, [runDebugging]);
addBenchCommand(program);
addReportCommand(program);
addCodemodCommand(program);
addAuditCommand(program);
addTreeCommand(program);
for (const command of program.commands) command.exitOverride();

/** QEMU spells these options with a single dash. */
const argv = process.argv.map((argument) => (SINGLE_DASH_OPTIONS.has(argument) ? `-${argument}` : argument));

try {
  await program.parseAsync(argv);
} catch (error) {
  process.exitCode = report(error);
}

/** Tells the user what went wrong, on standard error; answers the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USE; // commander has spoken already
  if (!(error instanceof Error)) throw error;
  const verbose = program.opts<{ verbose?: boolean }>().verbose === true;
  process.stderr.write(`regionlab: ${verbose ? error.stack : error.message}\n`);
  if (isExpected(error)) return error.exitCode;
  if (!(error instanceof QomError) && !verbose) {
    process.stderr.write(
      "regionlab: this is a defect of regionlab; run again with --verbose and report it\n",
    );
  }
  return WRONG_USE;
}

function isExpected(error: Error): error is ExpectedError {
  return typeof (error as Partial<ExpectedError>).exitCode === "number";
}
