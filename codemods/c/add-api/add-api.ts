/** Adds the constructors `memory_region_new*` to a QEMU tree that lacks them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "#host";
import { applyEdits } from "../../source/edits.ts";
import { constructorFor, declarationOf, head, INIT, NEW } from "./constructor.ts";
import { addDefinitions, isInit } from "./definitions.ts";
import { functionsNamed } from "./functions.ts";
import { addSection, type Recommended } from "./manual.ts";

const HEADERS = ["include/system/memory.h", "include/exec/memory.h"];
const SOURCES = ["system/memory.c", "softmmu/memory.c"];
const MANUAL = "docs/devel/memory.rst";

/** A change to a tree. Texts are latin-1. */
export interface Addition {
  /** Names of the constructors that were missing. */
  readonly added: readonly string[];
  /** Old and new texts of the files that change, by path relative to the tree. */
  readonly files: ReadonlyMap<string, { readonly before: string; readonly after: string }>;
}

/** @throws CommandError if the tree is not understood; nothing is written in any case. */
export function addApi(tree: string, recommended: Recommended): Addition {
  const header = fileOf(tree, HEADERS);
  const source = fileOf(tree, SOURCES);
  const manual = fileOf(tree, [MANUAL]);
  const { after: headerAfter, added } = addDeclarations(header.text, header.path);
  const sourceAfter =
    added.length === 0 ? source.text : addDefinitions(source.text, new Set(added), source.path);
  const files = new Map(
    [
      { ...header, after: headerAfter },
      { ...source, after: sourceAfter },
      { ...manual, after: addSection(manual.text, recommended, manual.path) },
    ]
      .filter(({ text, after }) => text !== after)
      .map(({ path, text, after }) => [path, { before: text, after }] as const),
  );
  return { added, files };
}

/** The header with a declaration after that of each `init` function, inside the same `#if`. */
export function addDeclarations(text: string, file: string): { after: string; added: string[] } {
  const present = new Map(functionsNamed(text, NEW).map((each) => [each.name, each]));
  const inits = functionsNamed(text, INIT).filter(({ name }) => isInit(name));
  if (!inits.some(({ name }) => name === INIT)) {
    throw new CommandError(
      `${file} does not declare ${INIT}: this is no tree of QEMU that add-api understands`,
    );
  }
  const constructors = inits.map((init) => constructorFor(init, file));
  for (const { name, returns, parameters } of constructors) {
    const found = present.get(name);
    if (found === undefined) continue;
    const ours = head(returns, name, parameters);
    const theirs = head(found.returns, name, found.parameters);
    if (ours.replace(/\s+/g, "") !== theirs.replace(/\s+/g, "")) {
      throw new CommandError(
        `${file} declares ${name} with other parameters than ${INIT}${name.slice(NEW.length)} without the region; remove it, or convert without add-api`,
      );
    }
  }
  const missing = constructors.filter(({ name }) => !present.has(name));
  const edits = missing.map((counterpart) => {
    const at = counterpart.init.end;
    return { start: at, end: at, text: `\n\n${declarationOf(counterpart, file)}` };
  });
  return { after: applyEdits(text, edits), added: missing.map(({ name }) => name) };
}

function fileOf(tree: string, candidates: readonly string[]): { path: string; text: string } {
  const path = candidates.find((each) => existsSync(join(tree, each)));
  if (path === undefined) {
    throw new CommandError(`${tree} has no ${candidates.join(" or ")}; name the root of a QEMU tree`);
  }
  return { path, text: readFileSync(join(tree, path), "latin1") };
}
