/** Coccinelle and `regionlab c` on copies of one tree: fields converted, objects broken, seconds. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CommandError } from "#host";
import { markdownTable, plainTable } from "#results";
import { packageRoot } from "#workloads";
import { parseNumstat } from "./lines.ts";
import { run, timed } from "./run.ts";
import {
  type Compiled,
  census,
  checkTree,
  compile,
  compilerCommands,
  copyGenerated,
  copyTree,
  regionlab,
} from "./trees.ts";

const PATCH = join(packageRoot(), "bench", "qemu", "tools", "regions.cocci");

interface Peer {
  readonly name: string;
  /** Converts the tree. @returns seconds of processor time */
  readonly convert: (tree: string) => Promise<number>;
}

const PEERS: readonly Peer[] = [
  {
    name: "Coccinelle, bench/qemu/tools/regions.cocci",
    convert: async (tree) => {
      const args = ["--very-quiet", "--no-includes", "--in-place", "--sp-file", PATCH, "--dir", tree];
      const { processorSeconds, status, stderr } = await timed("spatch", args);
      if (status === 127)
        throw new CommandError("spatch is not installed; install it with `apt-get install coccinelle`");
      if (status !== 0)
        throw new CommandError(`spatch failed: ${stderr.trim().split("\n").slice(-3).join(" ")}`, {
          exitCode: 1,
        });
      return processorSeconds;
    },
  },
  { name: "regionlab c to-owned --reversible", convert: (tree) => toOwned(tree, "--reversible") },
  { name: "regionlab c to-owned", convert: (tree) => toOwned(tree) },
];

async function toOwned(tree: string, ...options: string[]): Promise<number> {
  const { processorSeconds } = await regionlab("to-owned", tree, "--write", "--allow-dirty", ...options);
  return processorSeconds;
}

interface Row {
  readonly peer: string;
  readonly fields: number;
  readonly files: number;
  readonly compiled: Compiled | null;
  readonly seconds: number;
}

/** @param build of the tree; without one, nothing is compiled */
export async function comparePeers(tree: string, build: string | undefined): Promise<string> {
  checkTree("the tree", tree);
  const scratch = mkdtempSync(join(tmpdir(), "regionlab-peers-"));
  try {
    const base = join(scratch, "base");
    copyTree(resolve(tree), base);
    await regionlab("add-api", base, "--write", "--allow-dirty");
    const before = await census(base);
    const commands = build === undefined ? [] : compilerCommands(tree, build, base);
    if (build !== undefined) copyGenerated(resolve(build), join(base, "build"));
    const rows: Row[] = [];
    for (const { name, convert } of PEERS) {
      process.stderr.write(`${name}\n`);
      const copy = join(scratch, `copy-${rows.length}`);
      cpSync(base, copy, { recursive: true });
      const seconds = await convert(copy);
      const changed = await changedFiles(base, copy);
      let compiled: Compiled | null = null;
      if (build !== undefined) {
        const all = await compile(compilerCommands(tree, build, copy), changed, copy);
        // Some sources need what the build was configured without, unconverted, too.
        const unconverted = await compile(commands, new Set(all.broken), base);
        const broken = all.broken.filter((file) => !unconverted.broken.includes(file));
        for (const file of broken) process.stderr.write(`broken: ${file}\n`);
        compiled = { ...all, checked: all.checked - unconverted.broken.length, broken };
      }
      const { fields } = await census(copy);
      rows.push({ peer: name, fields: before.fields - fields, files: changed.size, compiled, seconds });
      rmSync(copy, { recursive: true });
    }
    return describePeers(rows, before.fields);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Files that differ, relative to both trees. */
async function changedFiles(base: string, copy: string): Promise<Set<string>> {
  const changed = new Set<string>();
  for (const entry of readdirSync(base, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name === "build") continue;
    const { stdout } = await run(
      "git",
      [...["diff", "--no-index", "--no-renames", "--numstat", "--", entry.name], join(copy, entry.name)],
      { cwd: base },
    );
    for (const { file } of parseNumstat(stdout)) changed.add(commonPath(file, copy));
  }
  return changed;
}

/** Of `hw/{x.c => y/x.c}` or `hw/x.c => /copy/hw/x.c`, as git names a file that it compares, the path inside the trees. */
export function commonPath(named: string, copy: string): string {
  const whole = named.replace(/\{(.*) => (.*)\}/, "$2").replace(/^.* => /, "");
  const path = whole.startsWith("/") ? whole : `/${whole}`;
  const at = path.indexOf(`${copy}/`);
  return at < 0 ? whole : path.slice(at + copy.length + 1);
}

export function describePeers(rows: readonly Row[], fields: number): string {
  const percent = (part: number) => `${part} (${((100 * part) / fields).toFixed(1)} %)`;
  return markdownTable(
    plainTable(
      "",
      [
        "Tool",
        `Fields converted, of ${fields}`,
        "Files changed",
        "Compiled",
        "Broken",
        "With a warning about pointers",
        "Seconds of processor time",
      ],
      [1, 2, 3, 4, 5, 6],
      rows.map(({ peer, fields: converted, files, compiled, seconds }) => [
        peer,
        percent(converted),
        `${files}`,
        ...(compiled === null
          ? ["", "", ""]
          : [`${compiled.checked}`, `${compiled.broken.length}`, `${compiled.warned.length}`]),
        seconds.toFixed(1),
      ]),
    ),
  );
}
