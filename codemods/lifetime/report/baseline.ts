/**
 * A baseline: findings that a project has accepted for now, so that only new ones fail. It names each by rule, file,
 * region and source text, without its line, and how often it occurs; paths are relative to the baseline's directory.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";
import { CommandError } from "#host";
import type { LifetimeFinding } from "../finding.ts";

const VERSION = 1;

interface Entry {
  readonly rule: string;
  readonly file: string;
  readonly region: string;
  readonly detail: string;
  readonly count: number;
}

export interface Comparison {
  /** Findings that the baseline does not have. */
  readonly fresh: readonly LifetimeFinding[];
  /** Number of findings that it has. */
  readonly known: number;
  /** Number of its findings that are gone. */
  readonly gone: number;
}

/** The baseline's text for these findings. */
export function baselineText(findings: readonly LifetimeFinding[], path: string): string {
  const counts = new Map<string, Entry>();
  for (const finding of findings) {
    const key = keyOf(finding, path);
    const [rule = "", file = "", region = "", detail = ""] = key.split("\0");
    counts.set(key, { rule, file, region, detail, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  const entries = [...counts].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, entry]) => entry);
  return `${JSON.stringify({ version: VERSION, findings: entries }, undefined, 2)}\n`;
}

/** @throws CommandError when the file is missing or no baseline. */
export function compareWithBaseline(findings: readonly LifetimeFinding[], path: string): Comparison {
  const left = new Map(
    readBaseline(path).map(({ rule, file, region, detail, count }) => [
      [rule, file, region, detail].join("\0"),
      count,
    ]),
  );
  const fresh: LifetimeFinding[] = [];
  for (const finding of findings) {
    const key = keyOf(finding, path);
    const count = left.get(key) ?? 0;
    if (count > 0) left.set(key, count - 1);
    else fresh.push(finding);
  }
  const gone = [...left.values()].reduce((sum, count) => sum + count, 0);
  return { fresh, known: findings.length - fresh.length, gone };
}

function keyOf({ rule, file, region, detail }: LifetimeFinding, path: string): string {
  const name = relative(dirname(resolve(path)), file)
    .split(sep)
    .join("/");
  return [rule, name, region, detail].join("\0");
}

function readBaseline(path: string): readonly Entry[] {
  if (!existsSync(path))
    throw new CommandError(`--baseline ${path}: no such file; create it with --write-baseline`);
  if (!statSync(path).isFile())
    throw new CommandError(`--baseline ${path}: not a regular file; give one that --write-baseline wrote`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw new CommandError(`--baseline ${path}: not JSON; write it again with --write-baseline`);
  }
  if (!isBaseline(value))
    throw new CommandError(
      `--baseline ${path}: not a baseline of version ${VERSION}; write it again with --write-baseline`,
    );
  return value.findings;
}

function isBaseline(value: unknown): value is { readonly findings: readonly Entry[] } {
  if (typeof value !== "object" || value === null || !("version" in value) || !("findings" in value))
    return false;
  return value.version === VERSION && Array.isArray(value.findings) && value.findings.every(isEntry);
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== "object" || value === null) return false;
  const texts = ["rule", "file", "region", "detail"].every(
    (name) => typeof Reflect.get(value, name) === "string",
  );
  return texts && Number.isInteger(Reflect.get(value, "count"));
}
