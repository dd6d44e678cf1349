/** The format that the ending of an output file names. */
import { extname } from "node:path";
import { CommandError, tableOf } from "#host";

const ENDINGS = tableOf<string>({
  ".html": "html",
  ".htm": "html",
  ".md": "markdown",
  ".json": "json",
  ".txt": "table",
  ".summary.json": "summary",
});

/**
 * The format of an output file by its ending, `.gz` aside; `table` for the terminal.
 *
 * @throws CommandError if the ending names none of `formats`
 */
export function formatOf<F extends string>(file: string | undefined, formats: readonly F[]): F {
  const named = file === undefined ? "table" : formatOfName(file.toLowerCase().replace(/\.gz$/, ""));
  const found = formats.find((format) => format === named);
  if (found !== undefined) return found;
  const all = [...ENDINGS].flatMap(([ending, format]) =>
    formats.some((each) => each === format) ? [ending] : [],
  );
  throw new CommandError(
    `-o ${file}: the ending does not name a format; add --format ${formats.join("|")}, or end it in ` +
      `${all.slice(0, -1).join(", ")} or ${all.at(-1)}, or any of these and .gz`,
  );
}

function formatOfName(name: string): string | undefined {
  return ENDINGS.get(name.endsWith(".summary.json") ? ".summary.json" : extname(name));
}
