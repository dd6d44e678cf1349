import { type Command, Option } from "commander";
import { CommandError, checkOutput } from "#host";
import {
  CLAIM_FORMATS,
  type ClaimFormat,
  failures,
  formatOf,
  type Output,
  renderClaims,
  writeText,
} from "#results";
import { answerClaims, type MixDevices } from "./claims.ts";

/** Adds `regionlab claims [C15 …] [--format table|markdown|json|html] [-o F]`. */
export function addClaimsCommand(
  program: Command,
  mixDevices: MixDevices,
  output: Output = process.stdout,
  answer: typeof answerClaims = answerClaims,
): void {
  program
    .command("claims")
    .description("test the claims of the debate, and say which of them hold")
    .argument("[claims...]", "numbers such as C15 (default: all)")
    .addOption(
      new Option("--format <format>", "default: by the ending of -o, else table").choices(CLAIM_FORMATS),
    )
    .option("-o, --output <file>", "write to a file instead of the terminal")
    .action(async (ids: string[], options: { format?: ClaimFormat; output?: string }) => {
      const format = options.format ?? formatOf(options.output, CLAIM_FORMATS);
      if (options.output !== undefined) checkOutput("-o", options.output, { makeFolders: true });
      const rows = await answer(mixDevices, ids);
      const text = await renderClaims(rows, format, options.output === undefined);
      if (options.output === undefined) output.write(text);
      else await writeText(options.output, text);
      const failed = rows.flatMap(failures);
      if (failed.length > 0)
        throw new CommandError(`not as predicted:\n${failed.join("\n")}`, { exitCode: 1 });
    });
}
