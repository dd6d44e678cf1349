/** The files that a run is stored in. */
import { CommandError, type NamedFile, OutputFile, requireApart, requireDistinct } from "#host";
import { pageNameOf } from "#results";

const MAKE_FOLDERS = { makeFolders: true } as const;

/**
 * Checks, before anything runs, that a run and its page can be stored, and that neither overwrites anything that is read.
 * @param beside a file that is kept next to them meanwhile
 * @returns the name of the page
 * @throws CommandError (exit code 2) when they cannot
 */
export function checkStored(
  file: string,
  inputs: readonly NamedFile[],
  beside: readonly string[] = [],
): string {
  if (!/\.json(\.gz)?$/.test(file)) {
    throw new CommandError(
      `-o ${file}: a run is stored as JSON; end the name in .json or .json.gz (the page goes next to it)`,
    );
  }
  const page = pageNameOf(file);
  const files: OutputFile[] = [];
  try {
    files.push(new OutputFile("-o", file, MAKE_FOLDERS));
    files.push(new OutputFile("the page", page, MAKE_FOLDERS));
    for (const each of beside) files.push(new OutputFile("", each, MAKE_FOLDERS));
    const places = files.map(({ place }) => place);
    requireDistinct(places);
    requireApart(places, inputs);
  } finally {
    for (const each of files) each.discard();
  }
  return page;
}
