import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import type { Environment } from "#results";
import { parseVersion } from "./counts/callgrind.ts";

/**
 * What is known of the environment before a run; {@link completeEnvironment} adds the rest afterwards.
 *
 * @param packageRoot folder of regionlab's package.json
 * @param execArgv Node options of measured processes, one text per kind
 */
export function captureEnvironment(packageRoot: string, execArgv: readonly string[]): Environment {
  const cpus = os.cpus();
  const git = (...args: string[]) => output("git", ["-C", packageRoot, ...args]);
  const status = git("status", "--porcelain", "--untracked-files=no");
  return {
    id: machineId(),
    date: new Date().toISOString(),
    regionlab: packageVersion(packageRoot),
    node: process.versions.node,
    v8: process.versions.v8,
    platform: os.platform(),
    arch: os.arch(),
    kernel: os.release(),
    cpuModel: cpus[0]?.model.trim() ?? "unknown",
    cpuCount: cpus.length,
    memoryBytes: os.totalmem(),
    seconds: 0,
    loadBefore: os.loadavg(),
    loadAfter: os.loadavg(),
    governor: firstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    virtualised: hasHypervisor(),
    // A container image has no repository; its build sets the commit.
    commit: process.env.REGIONLAB_COMMIT || git("rev-parse", "HEAD"),
    dirty: status === null ? null : status !== "",
    execArgv,
    valgrind: parseVersion(output("valgrind", ["--version"]) ?? ""),
  };
}

/** Eight digits that tell machines apart without revealing anything else about them. */
function machineId(): string {
  const machine = firstLine("/etc/machine-id") ?? "";
  return createHash("sha256").update(`regionlab ${os.hostname()} ${machine}`).digest("hex").slice(0, 8);
}

export function completeEnvironment(start: Environment, seconds: number, resumed = 0): Environment {
  return {
    ...start,
    seconds: Math.round(seconds * 10) / 10,
    ...(resumed > 0 && { resumed }),
    loadAfter: os.loadavg(),
  };
}

function packageVersion(packageRoot: string): string {
  const json: unknown = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
  const version = typeof json === "object" && json !== null && "version" in json ? json.version : undefined;
  return typeof version === "string" ? version : "unknown";
}

/** Linux lists the processor feature `hypervisor` if there is one. */
function hasHypervisor(): boolean | null {
  const flags = firstLine("/proc/cpuinfo", /^(?:flags|Features)\s*:.*$/m);
  return flags === null ? null : /\bhypervisor\b/.test(flags);
}

function firstLine(file: string, pattern = /^.*$/m): string | null {
  try {
    return readFileSync(file, "utf8").match(pattern)?.[0].trim() ?? null;
  } catch {
    return null; // the system does not report it
  }
}

/** Milliseconds to wait for the output of a program. */
const PROGRAM_TIMEOUT = 10_000;

function output(command: string, args: readonly string[]): string | null {
  try {
    return execFileSync(command, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: PROGRAM_TIMEOUT,
      killSignal: "SIGKILL",
    }).trim();
  } catch {
    return null; // no such program, not a repository, or no answer
  }
}
