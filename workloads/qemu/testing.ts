/** What the tests on QEMU's source share. */
import { spawn } from "node:child_process";
import { cpSync, existsSync } from "node:fs";
import { basename, join } from "node:path";
import { packageRoot } from "../package-root.ts";
import { qemuSourceFolder, qemuVersion } from "../qemu-source.ts";

/** Why the source cannot be had; undefined if it is there. */
export function whyNoSource(): string | undefined {
  const folder = qemuSourceFolder();
  if (qemuVersion(folder) !== undefined) return undefined;
  return `no QEMU in ${folder}: run \`npm run workloads:fetch -- --qemu\``;
}

/** Why tests that need builds do not run; undefined if they do. */
export function whyNoBuild(...files: readonly string[]): string | undefined {
  if (process.env.REGIONLAB_QEMU !== "all") return "only `npm run test:qemu:all` runs what needs builds";
  const missing = files.find((file) => !existsSync(file));
  return missing && `no ${missing}: run \`npm run qemu:build\`, and \`npm run qemu:build -- --all-targets\``;
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
