/**
 * Builds QEMU in both forms, for tests and measurements of the C codemods: `a` with embedded regions, `b` with owned ones.
 *
 *     npm run qemu:build                          both trees for riscv64, to ~/.cache/regionlab/qemu/{a,b}/build
 *     npm run qemu:build -- --tree b              one of them
 *     npm run qemu:build -- --target x86_64       for another architecture, to …/build-x86_64
 *     npm run qemu:build -- --sanitizers          with address and undefined-behaviour sanitizer, to …/build-riscv64-sanitizers
 *     npm run qemu:build -- --all-targets         configure for every system target and generate headers, in …/checks/build
 *     npm run qemu:build -- --install             first install the Debian packages that are missing, as root
 *
 * Interrupted, it goes on from where it was: a tree is brought up to date with the codemods, and ninja compiles what changed.
 * A build of the same source, codemods and options is left as it is.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CommandError, type FailureCode } from "#host";
import { cacheFolder } from "../cache-folder.ts";
import { packageRoot } from "../package-root.ts";
import { qemuSourceFolder, qemuVersion } from "../qemu-source.ts";
import { fetchBlobs } from "./firmware.ts";
import { pythonWithMeson } from "./python.ts";
import { BUILDS, BUILT, DEVICES, type TreeName, updateTree } from "./trees.ts";

/** Debian packages that a minimal build needs, by a file of each. */
const REQUIRED: ReadonlyMap<string, string> = new Map([
  ["gcc", "/usr/bin/gcc"],
  ["bzip2", "/bin/bzip2"],
  ["ninja-build", "/usr/bin/ninja"],
  ["pkg-config", "/usr/bin/pkg-config"],
  ["python3-venv", "/usr/bin/python3"],
  ["libglib2.0-dev", "/usr/include/glib-2.0/glib.h"],
  ["libfdt-dev", "/usr/include/libfdt.h"],
  ["libpixman-1-dev", "/usr/include/pixman-1/pixman.h"],
  ["zlib1g-dev", "/usr/include/zlib.h"],
]);

const FEATURES: readonly string[] = [
  "--without-default-features",
  "--disable-download",
  "--enable-tcg",
  "--enable-fdt=system",
  "--enable-pixman",
];

/** Sanitizers, with code that compiles faster than the usual one. Their reports name functions, for which symbols are enough. */
const SANITIZERS: readonly string[] = [
  "--enable-asan",
  "--enable-ubsan",
  "--disable-debug-info",
  "-Doptimization=1",
];

const RISCV = "riscv64";

/** QEMU's own tests that make every device, or every machine. */
export const QTESTS: readonly string[] = ["device-introspect-test", "qom-test", "test-hmp", "qos-test"];

/** A test's program in a build folder. */
export function qtestFile(name: string): string {
  return `tests/qtest/${name}`;
}

/** Nothing is printed more often, on a build of ten minutes. */
const PROGRESS_MS = 20_000;

/** Where a tree is kept. */
export function treeFolder(name: TreeName, environment: NodeJS.ProcessEnv = process.env): string {
  return join(cacheFolder(environment), "qemu", name);
}

/** A build folder of a tree: for riscv64 it is `build`. */
export function buildFolder(name: TreeName, goal = RISCV, environment = process.env): string {
  const isUsual = goal === RISCV || name === "checks";
  return join(treeFolder(name, environment), isUsual ? "build" : `build-${goal}`);
}

/** The packages that are not there. */
export function missingPackages(isThere: (file: string) => boolean = existsSync): string[] {
  return [...REQUIRED].filter(([, file]) => !isThere(file)).map(([name]) => name);
}

/** @throws CommandError that names the missing packages, unless they were installed. */
function requirePackages(install: boolean): void {
  const missing = missingPackages();
  if (missing.length === 0) return;
  const command = ["apt-get", "install", "-y", "--no-install-recommends", ...missing];
  if (!install) {
    throw new CommandError(`missing to build QEMU: run \`${command.join(" ")}\` as root, or give --install`);
  }
  const [program = "", ...args] = process.getuid?.() === 0 ? command : ["sudo", ...command];
  const { status } = spawnSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new CommandError(`${command.join(" ")} ended with ${status}`);
}

/** What a build is configured for. */
interface Goal {
  readonly targets: readonly string[];
  /** The architecture, or all of them; then what is special. */
  readonly name: string;
  /** Options of QEMU's configure besides those of every build. */
  readonly options: readonly string[];
  /** What ninja makes; undefined for the headers that it generates. */
  readonly makes: readonly string[] | undefined;
}

/** Every system target of a source tree. */
export function systemTargets(listing: readonly string[]): string[] {
  return listing.flatMap((file) => /^(.+-softmmu)\.mak$/.exec(file)?.[1] ?? []).sort();
}

/** Configures a build unless that has been done with the same options. @throws CommandError */
async function configure(folder: string, options: readonly string[]): Promise<void> {
  const stamp = join(folder, "regionlab-configured");
  const wanted = `${options.join("\n")}\n`;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  mkdirSync(folder, { recursive: true });
  await logged("../configure", options, folder, { log: "configure.log", exitCode: 2 });
  writeFileSync(stamp, wanted);
}

interface Logging {
  /** Name of the file for the output. */
  readonly log: string;
  /** Of the error if the program fails. */
  readonly exitCode: FailureCode;
  /** Given each line. */
  readonly progress?: (line: string) => void;
}

/** Runs a program with its output in a file, and says now and then how far it is. @throws CommandError */
async function logged(
  program: string,
  args: readonly string[],
  folder: string,
  { log, exitCode, progress = () => undefined }: Logging,
): Promise<void> {
  const file = join(folder, log);
  const output = createWriteStream(file);
  const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      output.write(`${line}\n`);
      last.push(line);
      if (last.length > 20) last.shift();
      progress(line);
    });
  }
  const ended = await new Promise<string>((resolve) => {
    child.once("error", ({ message }) => resolve(message));
    child.once("close", (code, signal) => resolve(code === 0 ? "" : `ended with ${signal ?? code}`));
  });
  output.end();
  if (ended !== "")
    throw new CommandError(`${program} in ${folder} ${ended}; see ${file}:\n${last.join("\n")}`, {
      exitCode,
    });
}

async function ninja(folder: string, what: readonly string[], label: string): Promise<void> {
  let next = Date.now() + PROGRESS_MS;
  const progress = (line: string): void => {
    const step = /^\[(\d+\/\d+)\]/.exec(line)?.[1];
    if (step === undefined || Date.now() < next) return;
    next = Date.now() + PROGRESS_MS;
    console.log(`${label}: ${step}`);
  };
  const args = ["-j", String(availableParallelism()), ...what];
  await logged("ninja", args, folder, { log: "ninja.log", exitCode: 1, progress });
}

/** Headers, and sources that others include, that ninja would make. */
function generated(folder: string): string[] {
  const { stdout, status } = spawnSync("ninja", ["-t", "targets", "all"], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new CommandError(`ninja -t targets failed in ${folder}`, { exitCode: 1 });
  return stdout
    .split("\n")
    .flatMap((line) => /^(\S+\.(?:h|inc|c\.inc)): CUSTOM_COMMAND/.exec(line)?.[1] ?? []);
}

/** QEMU's version in the cache. @throws CommandError */
function sourceVersion(environment: NodeJS.ProcessEnv): string {
  const source = qemuSourceFolder(environment);
  const version = qemuVersion(source);
  if (version !== undefined) return version;
  throw new CommandError(`no QEMU in ${source}: run \`npm run workloads:fetch -- --qemu\``);
}

/** Brings a tree up to date with the source and the codemods. @throws CommandError */
function update(tree: TreeName, version: string, environment: NodeJS.ProcessEnv): void {
  const blobs = join(cacheFolder(environment), "qemu", "firmware");
  fetchBlobs(blobs);
  const folder = treeFolder(tree, environment);
  const changed = updateTree(tree, { source: qemuSourceFolder(environment), blobs, tree: folder });
  console.log(`${tree}: QEMU ${version}, ${changed} files changed`);
  if (changed === 0) return;
  for (const name of readdirSync(folder).filter((each) => BUILDS.test(each)))
    rmSync(join(folder, name, STAMP), { force: true });
}

/** Holds the digest of what a build is made of. */
const STAMP = "regionlab-built";

/** Digest of all that a build is made of: the source's version, the codemods, and the options. */
export function inputsOf(
  version: string,
  goal: Goal,
  codemods = join(packageRoot(), "dist", "codemods", "c"),
): string {
  const hash = createHash("sha256").update(JSON.stringify([version, FEATURES, goal]));
  const files = readdirSync(codemods, { recursive: true, encoding: "utf8" })
    .filter((file) => /(?<!\.test)\.js$/.test(file) && !file.startsWith("oracle"))
    .sort();
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(codemods, file)));
  return `${hash.digest("hex")}\n`;
}

/** Brings a tree up to date, configures and builds it, unless a build of the same inputs is there. @throws CommandError */
async function make(tree: TreeName, goal: Goal, environment = process.env): Promise<void> {
  const version = sourceVersion(environment);
  const folder = buildFolder(tree, goal.name, environment);
  const label = `${tree}, ${goal.name}`;
  const stamp = join(folder, STAMP);
  const inputs = inputsOf(version, goal);
  // The oracle writes into its tree, and may have been interrupted.
  if (tree !== "checks" && existsSync(stamp) && readFileSync(stamp, "utf8") === inputs) {
    console.log(`${label}: as it was built before, ${folder}`);
    return;
  }
  update(tree, version, environment);
  await configure(folder, [
    `--target-list=${goal.targets.join(",")}`,
    ...FEATURES,
    ...goal.options,
    `--python=${pythonWithMeson(join(cacheFolder(environment), "qemu", "python"))}`,
  ]);
  console.log(`${label}: configured`);
  await ninja(folder, goal.makes ?? generated(folder), label);
  writeFileSync(stamp, inputs);
  console.log(`${label}: ${folder}`);
}

interface Options {
  readonly tree?: string;
  readonly target?: string;
  readonly "all-targets"?: boolean;
  readonly sanitizers?: boolean;
  readonly install?: boolean;
}

/** The command. Returns its exit code: 0 built, 1 failed, 2 usage error, or something that is needed is not to be had. */
export async function main(args: readonly string[]): Promise<number> {
  let values: Options;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        tree: { type: "string" },
        target: { type: "string" },
        "all-targets": { type: "boolean" },
        sanitizers: { type: "boolean" },
        install: { type: "boolean" },
      },
    }));
    if (values.target !== undefined && values["all-targets"]) {
      throw new TypeError("--target and --all-targets exclude each other");
    }
    if (values.sanitizers && values["all-targets"]) {
      throw new TypeError("--sanitizers and --all-targets exclude each other: the latter builds no program");
    }
    if (values.tree !== undefined && values["all-targets"]) {
      throw new TypeError("--all-targets has a tree of its own: leave out --tree");
    }
    if (values.tree !== undefined && !BUILT.some((name) => name === values.tree)) {
      throw new TypeError(`--tree ${values.tree}: give a or b, or leave it out for both`);
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`qemu:build: ${error.message}`);
    return 2;
  }
  try {
    requirePackages(values.install === true);
    const goal = goalOf(values);
    const trees: readonly TreeName[] = values["all-targets"]
      ? ["checks"]
      : BUILT.filter((tree) => values.tree === undefined || values.tree === tree);
    for (const tree of trees) await make(tree, goal);
    return 0;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(`qemu:build: ${error.message}`);
    return error.exitCode;
  }
}

/** @throws CommandError if the source has no such target */
function goalOf(values: Options): Goal {
  const configs = join(qemuSourceFolder(), "configs", "targets");
  const known = existsSync(configs) ? systemTargets(readdirSync(configs)) : [];
  if (values["all-targets"]) return { name: "all", targets: known, options: [], makes: undefined };
  const target = values.target ?? RISCV;
  if (known.length > 0 && !known.includes(`${target}-softmmu`)) {
    const names = known.map((each) => each.replace("-softmmu", ""));
    throw new CommandError(`--target ${target}: not one of ${names.join(", ")}`);
  }
  return {
    name: values.sanitizers ? `${target}-sanitizers` : target,
    targets: [`${target}-softmmu`],
    options: [
      ...(target === RISCV ? [`--with-devices-${RISCV}=${DEVICES}`] : []),
      ...(values.sanitizers ? SANITIZERS : []),
    ],
    // QEMU's own tests are of the usual builds.
    makes: [`qemu-system-${target}`, ...(values.sanitizers ? [] : QTESTS.map(qtestFile))],
  };
}

const invoked = process.argv[1];
if (invoked !== undefined && realpathSync(invoked) === realpathSync(fileURLToPath(import.meta.url))) {
  process.exitCode = await main(process.argv.slice(2));
}
