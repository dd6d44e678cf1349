/** Compiles objects of a configured build without writing any: what gcc says of them. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { CommandError } from "#host";

/** One entry of `compile_commands.json`. */
export interface CompileCommand {
  readonly directory: string;
  readonly command: string;
  readonly file: string;
  readonly output?: string;
}

export interface Compiled {
  readonly command: CompileCommand;
  readonly status: number | null;
  readonly messages: string;
}

/** The commands of a build folder. @throws CommandError if it is not configured */
export function compileCommands(build: string): CompileCommand[] {
  const file = join(build, "compile_commands.json");
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new CommandError(
      `${file}: ${error instanceof Error ? error.message : error}; give a configured build folder`,
    );
  }
}

/** The path of a source relative to the tree. */
export function pathInTree(tree: string, { directory, file }: CompileCommand): string {
  return relative(tree, resolve(directory, file));
}

/** The arguments of a command that only looks for mistakes. */
export function checkingArguments(command: string, options: readonly string[]): string[] {
  const words = wordsOf(command);
  const kept: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "-o" || word === "-MF" || word === "-MQ") index++;
    else if (word !== "-c" && word !== "-MD" && word !== "-Werror") kept.push(word);
  }
  return [...kept, "-fsyntax-only", ...options];
}

/** Words of a command line, quotes and backslashes removed as a shell does. */
export function wordsOf(command: string): string[] {
  const words: string[] = [];
  for (const [word] of command.matchAll(/(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+/g)) {
    words.push(
      word.replace(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g, (_, single, double, one) =>
        single !== undefined ? single : double !== undefined ? double.replace(/\\(["\\$`])/g, "$1") : one,
      ),
    );
  }
  return words;
}

/** Runs all commands, as many at a time as there are processors. */
export async function compileAll(
  commands: readonly CompileCommand[],
  options: readonly string[],
  progress: (done: number) => void = () => undefined,
): Promise<Compiled[]> {
  const results: Compiled[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let command = commands[next++]; command !== undefined; command = commands[next++]) {
      results.push(await compile(command, options));
      progress(results.length);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return results;
}

function compile(command: CompileCommand, options: readonly string[]): Promise<Compiled> {
  const [program = "", ...args] = checkingArguments(command.command, options);
  return new Promise((done) => {
    const child = spawn(program, args, {
      cwd: command.directory,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, LC_ALL: "C" },
    });
    let messages = "";
    child.stderr.setEncoding("latin1").on("data", (part: string) => {
      messages += part;
    });
    child.once("error", (error) => done({ command, status: null, messages: error.message }));
    child.once("close", (status) => done({ command, status, messages }));
  });
}
