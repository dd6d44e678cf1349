/**
 * What two trees and two builds of QEMU tell without being timed. Tables in Markdown, ready for docs/qemu-measured.md:
 *
 *     npm run bench:qemu -- structures --a A/build --b B/build    sizes of structures, from the debug information
 *     npm run bench:qemu -- starts --a A/build --b B/build        allocations from a machine's start to its end
 *     npm run bench:qemu -- misses --a A/build --b B/build        cache misses of an access, by cachegrind
 *     npm run bench:qemu -- replay --a A/build --b B/build        boots recorded in A, replayed in both
 *     npm run bench:qemu -- realize --a A/build --b B/build       a device that is realized a second time
 *     npm run bench:qemu -- lines --a A --b B                     lines and region fields of the sources
 *     npm run bench:qemu -- coccinelle TREE [--build A/build]     Coccinelle and `regionlab c` on copies of one tree
 *     npm run bench:qemu -- sanitizer --a A/build --b B/build     builds with --enable-asan --enable-ubsan
 *     npm run bench:qemu -- claims RUN --a A/build --b B/build    workloads/claims/qemu.json, of a run of `bench qemu -o`
 */
import { Command, CommanderError } from "commander";
import { CommandError } from "#host";
import { claimFigures } from "./claims.ts";
import { compareLines } from "./lines.ts";
import { compareMisses } from "./misses.ts";
import { comparePeers } from "./peers.ts";
import { compareRealize } from "./realize.ts";
import { compareReplays } from "./replay.ts";
import { compareLeaks } from "./sanitizer.ts";
import { compareStarts } from "./starts.ts";
import { compareStructures } from "./structures.ts";

interface Pair {
  readonly a: string;
  readonly b: string;
}

const program = new Command("bench:qemu").exitOverride();

function pair(
  name: string,
  description: string,
  what: string,
  compare: (pair: Pair) => Promise<string>,
): void {
  program
    .command(name)
    .description(description)
    .requiredOption("--a <folder>", `${what} with embedded regions`)
    .requiredOption("--b <folder>", `${what} with owned regions`)
    .action(async (options: Pair) => {
      process.stdout.write(`${await compare(options)}\n`);
    });
}

pair("structures", "sizes of structures in both builds (needs pahole)", "build", compareStructures);
pair("starts", "allocations from a machine's start to its end", "build", compareStarts);
pair("misses", "cache misses of an access (needs valgrind)", "build", compareMisses);
pair("replay", "boots recorded in A, and replayed in both builds", "build", compareReplays);
pair("realize", "a device that is realized a second time", "build", compareRealize);
pair("lines", "lines and region fields of both trees (needs git)", "tree", compareLines);
pair("sanitizer", "leaks and undefined behaviour in both builds", "build", compareLeaks);
program
  .command("coccinelle")
  .description("convert copies of a tree with Coccinelle and with `regionlab c`, and compile what changed")
  .argument("<tree>", "unconverted tree, which is not changed")
  .option("--build <folder>", "a build of that tree, whose compiler commands are used")
  .action(async (tree: string, { build }: { build?: string }) => {
    process.stdout.write(`${await comparePeers(tree, build)}\n`);
  });
program
  .command("claims")
  .description("print the figures that `regionlab claims` shows, as JSON")
  .argument("<run>", "a run of `regionlab bench qemu -o`")
  .requiredOption("--a <folder>", "build with embedded regions, in its tree")
  .requiredOption("--b <folder>", "build with owned regions, in its tree")
  .option("--objects <file>", "what `npm run test:qemu -- objects` found: qemu/objects.json in the cache")
  .action(async (run: string, options: Pair & { objects?: string }) => {
    process.stdout.write(await claimFigures({ run, ...options }));
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommandError || error instanceof CommanderError)) throw error;
  if (error instanceof CommandError) process.stderr.write(`bench:qemu: ${error.message}\n`);
  process.exitCode = error.exitCode;
}
