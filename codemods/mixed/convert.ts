/**
 * Device trees between the two forms: some files of a tree converted, or its child objects, by running the codemods on the
 * sources. The result is either texts or, to be run, a folder of JavaScript modules.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { ts } from "ts-morph";
import { CommandError, holdEndSignals } from "#host";
import type { FilePlan, Plan } from "../passes/4-plan.ts";
import { changedFiles } from "../passes/5-apply.ts";
import { remarks } from "../passes/6-report.ts";
import { planConversion } from "../pipeline.ts";
import type { Direction } from "../regions/facts.ts";
import { sourcesUnder } from "../source/discover.ts";
import { globOption } from "../source/glob.ts";
import { readSource } from "../source/workspace.ts";

/** Which files of a tree have their regions converted: those that match a pattern, or the first so many percent. */
export type Selection = { readonly pattern: string } | { readonly share: number };

export interface Mixture {
  /** Files whose regions get the other form; none by default. */
  readonly selection?: Selection | undefined;
  /** True to make the child objects owned. */
  readonly ownedChildren?: boolean | undefined;
}

export interface MixedTree {
  /** Texts by path inside the tree. */
  readonly texts: ReadonlyMap<string, string>;
  /** Files with regions, and those of them that were converted; sorted. */
  readonly withRegions: readonly string[];
  readonly converted: readonly string[];
}

/** A mixed tree to be run. */
export interface RunnableTree extends MixedTree {
  /** Folder with `index.js`; removed when the process ends. */
  readonly folder: string;
}

/** Converts parts of one tree, which it reads and plans once. */
export class TreeMixer {
  private readonly folder: string;
  private readonly texts: ReadonlyMap<string, string>;
  private readonly direction: Direction;
  private regionsConverted: readonly FilePlan[] | undefined;

  /**
   * @param folder of the tree's sources
   * @param regions the form of its regions
   * @throws CommandError if there are no sources, or only some
   */
  constructor(folder: string, regions: "embedded" | "owned") {
    this.folder = folder;
    this.direction = regions === "embedded" ? "to-owned" : "to-embedded";
    if (!TreeMixer.isWhole(folder))
      throw new CommandError(
        `${folder}: does not have the sources of all devices, which the npm package leaves out; run this in a clone of the repository`,
      );
    this.texts = new Map(sourcesUnder(folder).map((path) => [path, readSource(path)]));
  }

  /** Whether a folder has the sources of a tree; the npm package has only those that its documents refer to. */
  static isWhole(folder: string): boolean {
    return existsSync(join(folder, "index.ts"));
  }

  /** @throws CommandError if nothing is selected, or a region or child is refused */
  mix({ selection, ownedChildren = false }: Mixture): MixedTree {
    const inTree = (path: string) => relative(this.folder, path);
    let { texts } = this;
    let withRegions: string[] = [];
    let converted: string[] = [];
    if (selection !== undefined) {
      this.regionsConverted ??= changedFiles(convert(texts, this.direction, "regions"));
      withRegions = this.regionsConverted.map(({ path }) => inTree(path)).sort();
      converted = select(withRegions, selection);
      const chosen = new Set(converted);
      texts = applied(
        texts,
        this.regionsConverted.filter(({ path }) => chosen.has(inTree(path))),
      );
    }
    if (ownedChildren) texts = applied(texts, convert(texts, "to-owned", "children").files);
    return {
      texts: new Map([...texts].map(([path, text]) => [inTree(path), text])),
      withRegions,
      converted,
    };
  }

  /** Mixes a tree and compiles it into a temporary folder. Throws like `mix`. */
  runnable(mixture: Mixture): RunnableTree {
    const tree = this.mix(mixture);
    const folder = temporaryFolder();
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
    for (const [file, text] of tree.texts) {
      const path = join(folder, file.replace(/\.ts$/, ".js"));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, compiled(text, file));
    }
    return { ...tree, folder };
  }
}

function convert(texts: ReadonlyMap<string, string>, direction: Direction, subject: Plan["subject"]): Plan {
  const plan = planConversion([...texts.keys()], direction, {
    overlay: texts,
    subject,
    searchPackage: false,
  });
  const refused = plan.files.some(({ sites }) => sites.some(({ outcome }) => outcome === "refused"));
  if (refused) throw new CommandError(`the devices cannot be converted:\n${remarks(plan)}`.trimEnd());
  return plan;
}

function applied(texts: ReadonlyMap<string, string>, files: readonly FilePlan[]): Map<string, string> {
  return new Map([...texts, ...files.map(({ path, after }): [string, string] => [path, after])]);
}

/** Shares are of the files in the order of their paths, so that a larger one has the files of a smaller one, too. */
function select(files: readonly string[], selection: Selection): string[] {
  if ("share" in selection) return files.slice(0, Math.round((files.length * selection.share) / 100));
  const { pattern } = selection;
  const found = files.filter(globOption("--convert", pattern));
  if (found.length > 0) return found;
  throw new CommandError(
    `--convert ${pattern}: no file with memory regions matches; they are ${files.join(", ")}`,
  );
}

/** An import of a component: outside the package its name means nothing. */
const componentImport = /^import\s*\{([^}]*)\}\s*from\s*"(#[\w/]+)";/gm;

/** JavaScript whose components come from the program that loads it, as the classes have to be the same. */
function compiled(text: string, file: string): string {
  const { outputText } = ts.transpileModule(text, {
    fileName: file,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  const components = 'globalThis[Symbol.for("regionlab.components")]';
  const result = outputText.replace(componentImport, (_import, names: string, component: string) => {
    return `const {${names.replace(/\bas\b/g, ":")}} = ${components}["${component}"];`;
  });
  const left = /\bfrom\s*"#[^"]*"|\bimport\s*\(?\s*"#[^"]*"/.exec(result);
  if (left === null) return result;
  throw new CommandError(`${file}: imports a component by other means than a list of names: ${left[0]}`);
}

const folders: string[] = [];

/** A folder that is removed when the process exits. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "regionlab-tree-"));
  if (folders.length === 0) {
    holdEndSignals();
    process.once("exit", () => {
      for (const each of folders) rmSync(each, { recursive: true, force: true });
    });
  }
  folders.push(folder);
  return folder;
}
