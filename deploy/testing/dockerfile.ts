/** Parses the subset of Dockerfile and `.dockerignore` that ours use; anything else is refused, not skipped. */

export interface Instruction {
  readonly keyword: string;
  /** Stage that it belongs to: its name, or its number from 0. */
  readonly stage: string;
  /** Everything after the keyword, continued lines joined. */
  readonly text: string;
  /** {@link text} as words; for a JSON array, its elements. */
  readonly words: readonly string[];
}

const KEYWORDS = "ARG|CMD|COPY|ENTRYPOINT|FROM|ENV|LABEL|RUN|USER|WORKDIR";

/** @throws Error for a line that is not an instruction in {@link KEYWORDS} */
export function instructionsOf(dockerfile: string): Instruction[] {
  const lines = dockerfile
    .split("\n")
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join("\n")
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n");
  let stages = -1;
  let stage = "";
  return lines.map((line) => {
    const [, keyword, text] = line.match(`^(${KEYWORDS}) +(.*)$`) ?? [];
    if (keyword === undefined || text === undefined) throw new Error(`Dockerfile: cannot read "${line}"`);
    if (keyword === "FROM") {
      stages++;
      stage = text.match(/ AS (\S+)$/i)?.[1] ?? String(stages);
    }
    return { keyword, stage, text, words: wordsOf(text) };
  });
}

function wordsOf(text: string): string[] {
  if (!text.startsWith("[")) return text.split(/\s+/).filter((word) => word !== "");
  const words: unknown = JSON.parse(text);
  if (Array.isArray(words)) return words.map(String);
  throw new Error(`Dockerfile: ${text} is no array`);
}

/** The commands of a RUN, split as the shell does; our words contain no quoted operators. */
export function commandsOf({ text }: Instruction): string[][] {
  return text.split(/&&|;|\|\|?/).map((command) => wordsOf(command.trim()));
}

/** Whether `.dockerignore` excludes a path from the build: the last matching pattern decides. */
export function isIgnored(dockerignore: string, path: string): boolean {
  const rules = dockerignore.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return rules.reduce((ignored, rule) => {
    const pattern = rule.replace(/^!/, "");
    return globOf(pattern).test(path) ? !rule.startsWith("!") : ignored;
  }, false);
}

/** A pattern matches a path, and everything in a folder of that path. */
function globOf(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("**/", "\u0000")
    .replaceAll("*", "[^/]*")
    .replaceAll("\u0000", "(?:.*/)?");
  return new RegExp(`^${source}(?:/|$)`);
}
