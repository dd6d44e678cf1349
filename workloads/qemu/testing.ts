/** What the tests on QEMU's source share. */
import { spawn } from "node:child_process";
import { cpSync } from "node:fs";
import { basename, join } from "node:path";
import { packageRoot } from "../package-root.ts";
import { qemuSourceFolder, qemuVersion } from "../qemu-source.ts";

/** Fetches the source unless it is there. Returns why it cannot be had; undefined if it is there. */
export async function whyNoSource(): Promise<string | undefined> {
  const folder = qemuSourceFolder();
  if (qemuVersion(folder) !== undefined) return undefined;
  const { stderr } = await run(process.execPath, [join(packageRoot(), "dist/workloads/fetch.js"), "--qemu"]);
  return qemuVersion(folder) === undefined
    ? `no QEMU in ${folder}: ${stderr.trim().replace(/\s+/g, " ")}`
    : undefined;
}

/** What `npm run qemu:build` ends with if something that it needs cannot be had on this computer. */
const NOT_HERE = 2;

/** Builds by `npm run qemu:build -- …`. Returns why that cannot be done here. @throws Error if it was tried and failed */
export async function whyNoBuild(...args: readonly string[]): Promise<string | undefined> {
  const why = await whyNoSource();
  if (why !== undefined) return why;
  const program = join(packageRoot(), "dist/workloads/qemu/build.js");
  const { status, stderr } = await run(process.execPath, [program, ...args], { isShown: true });
  if (status === 0) return undefined;
  if (status === NOT_HERE) return stderr.trim().replace(/\s+/g, " ");
  throw new Error(stderr);
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.folder,
      env: { ...process.env, ...options.environment },
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    child.stdout?.setEncoding("latin1").on("data", (part: string) => {
      output.stdout += part;
      if (options.isShown) console.log(part.trimEnd());
    });
    child.stderr?.setEncoding("latin1").on("data", (part: string) => {
      output.stderr += part;
    });
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, ...output }));
    child.stdin?.end(options.input, "latin1");
  });
}

export interface RunOptions {
  readonly folder?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Whether its output is also printed. */
  readonly isShown?: boolean;
}

/** Runs `regionlab`. */
export function regionlab(...args: readonly string[]): Promise<Ended> {
  return run(process.execPath, [join(packageRoot(), "dist/bin/cli.js"), ...args]);
}

const SKIPPED = new Set(["roms", "subprojects", "pc-bios"]);

/** Copies what the codemods read and write of the source. */
export function copySources(tree: string): void {
  const source = qemuSourceFolder();
  cpSync(source, tree, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => {
      const name = basename(path);
      return !SKIPPED.has(name) && (!name.includes(".") || /\.(?:[chm]|inc|rs|rst|c\.inc)$/.test(name));
    },
  });
}
