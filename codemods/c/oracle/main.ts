/**
 * Checks the C codemods by gcc, on a tree of its own whose build is configured for all targets (`npm run qemu:build --
 * --all-targets` makes one). The tree is restored from the source afterwards.
 *
 *     node dist/codemods/c/oracle/main.js uses TREE BUILD     the compiler's uses of regions against the codemods'
 *     node dist/codemods/c/oracle/main.js objects TREE BUILD  what gcc says of the converted sources, and not of the others
 *
 * Prints one line of JSON. Exit code 1 if a use was missed, or a message is new.
 */
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError } from "#host";
import { analyse, convertToOwned } from "../pipeline.ts";
import { type CompileCommand, type Compiled, compileAll, compileCommands, pathInTree } from "./compile.ts";
import { type CompilerUse, compilerUses, type Line, markedSources, missedUses } from "./uses.ts";

const PROGRESS = 100;

/** Warnings that a wrong conversion shows as; flow analysis needs a real build. */
const STRICT: readonly string[] = [
  "-Werror=incompatible-pointer-types",
  "-Werror=int-conversion",
  "-Werror=unused-variable",
  "-Werror=unused-but-set-variable",
  "-Werror=unused-label",
  "-Werror=implicit-function-declaration",
];

function say(what: string, total: number) {
  return (done: number): void => {
    if (done % PROGRESS === 0 || done === total) console.error(`${what}: ${done} of ${total}`);
  };
}

/** Writes texts into a tree while something runs, and restores it then. */
async function withTexts<T>(
  tree: string,
  texts: ReadonlyMap<string, string>,
  run: () => Promise<T>,
): Promise<T> {
  const before = new Map([...texts.keys()].map((path) => [path, readFileSync(join(tree, path))]));
  try {
    for (const [path, text] of texts) writeFileSync(join(tree, path), text, "latin1");
    return await run();
  } finally {
    for (const [path, text] of before) writeFileSync(join(tree, path), text);
  }
}

/** The commands whose sources are wanted, by their paths in the tree. */
function commandsFor(tree: string, build: string, wanted: (path: string) => boolean): CompileCommand[] {
  return compileCommands(build).filter(
    (command) => command.file.endsWith(".c") && wanted(pathInTree(tree, command)),
  );
}

async function checkUses(tree: string, build: string): Promise<boolean> {
  const { fields, program } = analyse([tree], 0);
  const commands = commandsFor(tree, build, (path) => program.sources.has(path));
  const compiled = await withTexts(tree, markedSources(fields), () =>
    compileAll(commands, ["-Wdeprecated-declarations"], say("uses", commands.length)),
  );
  const pathOf = (file: string, { directory }: CompileCommand) => relative(tree, resolve(directory, file));
  const seen = new Map<string, CompilerUse>();
  for (const { command, messages } of compiled) {
    for (const use of compilerUses(messages)) {
      const place = ({ file, line }: Line): Line => ({ file: pathOf(file, command), line });
      const plain = { at: use.at.map(place), declared: place(use.declared) };
      seen.set(JSON.stringify(plain), plain);
    }
  }
  const missed = missedUses(fields, [...seen.values()], (file) => file);
  print({
    objects: commands.length,
    sources: new Set(commands.map((command) => pathInTree(tree, command))).size,
    failed: compiled.filter(({ status }) => status !== 0).map(describe),
    uses: seen.size,
    missed,
  });
  return missed.length === 0 && seen.size > 0;
}

async function checkObjects(tree: string, build: string): Promise<boolean> {
  const { changes } = convertToOwned([tree]);
  const commands = commandsFor(tree, build, (path) => changes.has(path));
  const options = ["-fno-diagnostics-show-caret", ...STRICT];
  const after = await withTexts(tree, changes, () =>
    compileAll(commands, options, say("objects", commands.length)),
  );
  const suspects = after.filter(({ status, messages }) => status !== 0 || messages !== "");
  const before = await compileAll(
    suspects.map(({ command }) => command),
    options,
  );
  const known = new Set(before.filter(({ messages }) => messages !== "").map(({ command }) => command));
  const added = suspects.filter(({ command }) => !known.has(command));
  const sources = new Set(commands.map((command) => pathInTree(tree, command)));
  const changed = [...changes.keys()].filter((path) => path.endsWith(".c"));
  print({
    changedSources: changed.length,
    objects: commands.length,
    sources: sources.size,
    notConfigured: changed.filter((path) => !sources.has(path)),
    messagesBefore: before.filter(({ messages }) => messages !== "").map(describe),
    added: added.map(describe),
  });
  return added.length === 0 && commands.length > 0;
}

function describe({ command, messages }: Compiled): string {
  const first = messages.split("\n").find((line) => /: (?:error|warning|fatal error):/.test(line));
  return `${command.output ?? command.file}: ${first ?? messages.slice(0, 200)}`;
}

function print(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

/** The command. */
export async function main([what, tree, build]: readonly string[]): Promise<number> {
  if ((what !== "uses" && what !== "objects") || tree === undefined || build === undefined) {
    console.error("oracle: give uses or objects, a tree, and its configured build folder");
    return 2;
  }
  try {
    const check = what === "uses" ? checkUses : checkObjects;
    return (await check(resolve(tree), resolve(build))) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(`oracle: ${error.message}`);
    return 1;
  }
}

const invoked = process.argv[1];
if (invoked !== undefined && realpathSync(invoked) === realpathSync(fileURLToPath(import.meta.url))) {
  process.exitCode = await main(process.argv.slice(2));
}
