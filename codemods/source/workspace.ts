import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Project, type SourceFile, ts } from "ts-morph";
import { CommandError, inOneLine, systemErrorCode } from "#host";
import { Configurations } from "./compiler-options.ts";
import { codeOfPackage } from "./discover.ts";
import { Identity, resolveRoom } from "./identity.ts";
import { parseRawText } from "./raw-text.ts";

/** Sources to convert, parsed and type-checked. */
export interface Workspace {
  readonly project: Project;
  readonly targets: readonly SourceFile[];
  /** Unmodified texts of the targets, by path. */
  readonly raw: ReadonlyMap<string, string>;
  readonly identity: Identity;
  /** Whether other files of the package are searched for uses. */
  readonly searchPackage: boolean;
}

export interface WorkspaceOptions {
  /** Texts to use instead of the files on disk, by absolute path. */
  readonly overlay?: ReadonlyMap<string, string>;
  /** Parsed files to reuse: several conversions in one process share them. */
  readonly project?: Project;
  /** False if the named files are the whole program. */
  readonly searchPackage?: boolean;
  /** True if nothing will be written: sources may then be in any encoding. */
  readonly readOnly?: boolean;
}

/** Condition under which package subpaths resolve to sources. */
const SOURCES: readonly string[] = ["source"];

/**
 * A project that resolves types as the package's own compilation does: package subpaths resolve to sources. Loads only
 * the ECMAScript library, since the conversion does not depend on the runtime's types. `more` overrides its options.
 */
export function newProject(conditions: readonly string[] = SOURCES, more: ts.CompilerOptions = {}): Project {
  return new Project({
    skipAddingFilesFromTsConfig: true,
    skipFileDependencyResolution: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      customConditions: [...conditions],
      lib: ["lib.es2023.d.ts"],
      types: [],
      strict: true,
      noUncheckedIndexedAccess: true,
      allowImportingTsExtensions: true,
      allowJs: true,
      jsx: ts.JsxEmit.Preserve,
      skipLibCheck: true,
      noEmit: true,
      ...more,
    },
  });
}

/** The options of a configuration that say what an import means and how a file is parsed. */
const meanings = [
  "module",
  "moduleResolution",
  "moduleDetection",
  "moduleSuffixes",
  "baseUrl",
  "paths",
  "pathsBasePath", // where `paths` without a `baseUrl` begin; the compiler sets it
  "rootDirs",
  "customConditions",
  "preserveSymlinks",
  "resolvePackageJsonExports",
  "resolvePackageJsonImports",
  "resolveJsonModule",
  "esModuleInterop",
  "allowSyntheticDefaultImports",
  "experimentalDecorators",
];

/**
 * A project in which imports mean what they mean in the configuration of the first source. Where its author finds the
 * memory component by other means, it is read from its sources in this repository, and from its declarations in an
 * installed package.
 */
function projectFor([first]: readonly string[]): Project {
  if (first === undefined) return newProject();
  const { path, options } = new Configurations().forFile(first);
  const own = Object.fromEntries(meanings.map((name) => [name, options[name]]));
  const given = path === undefined ? [] : [newProject([], own)];
  const projects = [...given, newProject(), newProject([])];
  return projects.find((project) => findsMemory(project, first)) ?? newProject([]);
}

function findsMemory(project: Project, from: string): boolean {
  return ["#memory", "regionlab/memory"].some((name) => resolveRoom(project, name, from) !== undefined);
}

/** Reads and parses sources (absolute paths). @throws CommandError if one cannot be read or does not parse. */
export function openWorkspace(paths: readonly string[], options: WorkspaceOptions = {}): Workspace {
  const project = options.project ?? projectFor(paths);
  const read = options.readOnly === true ? readLoosely : readSource;
  const raw = new Map(paths.map((path) => [path, options.overlay?.get(path) ?? read(path)]));
  const targets = [...raw].map(([path, source]) => {
    return parsed(project, path, parseRawText(source).text);
  });
  const identity = new Identity(project, targets); // adds a file, after which the compiler makes its program anew
  for (const file of targets) requireParsed(project, file);
  return { project, targets, raw, identity, searchPackage: options.searchPackage ?? true };
}

/** A file of the project with this text, which need not be parsed twice if it is what is on disk. */
function parsed(project: Project, path: string, text: string): SourceFile {
  const onDisk = project.addSourceFileAtPathIfExists(path);
  if (onDisk?.getFullText() === text) return onDisk;
  return project.createSourceFile(path, text, { overwrite: true });
}

/** Text of a source. @throws CommandError if it cannot be read, or is not UTF-8: other bytes would not survive. */
export function readSource(path: string): string {
  const bytes = bytesOf(path);
  if (isUtf8(bytes)) return bytes.toString("utf8");
  throw new CommandError(`${shown(path)}: not in UTF-8; convert it, for instance by iconv, and run again`);
}

/** Text of a source as the compiler reads it, in whatever encoding. @throws CommandError if it cannot be read */
function readLoosely(path: string): string {
  return textOf(path, bytesOf(path));
}

function textOf(path: string, bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString("utf8") : (ts.sys.readFile(path) ?? "");
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = systemErrorCode(error);
    const reason = code === "EACCES" ? "no permission to read" : code === "ENOENT" ? "no such file" : code;
    throw new CommandError(`${shown(path)}: ${reason ?? "cannot be read"}; fix that and run again`);
  }
}

/** Hash to detect that a file has changed since an edit was planned. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** The path as part of a line on a terminal: as a user would type it, without control characters. */
export function printed(path: string): string {
  return inOneLine(shown(path));
}

/** The path as a user would type it. */
export function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") ? path : near;
}

function requireParsed(project: Project, file: SourceFile): void {
  const [first] = project.getProgram().getSyntacticDiagnostics(file);
  if (first === undefined) return;
  const line = first.getLineNumber() ?? 1;
  const message = ts.flattenDiagnosticMessageText(first.compilerObject.messageText, " ");
  throw new CommandError(
    `${shown(file.getFilePath())}:${line}: does not parse: ${message} Fix the source first.`,
  );
}

/** Sources besides the targets. */
export interface Mentions {
  readonly files: readonly SourceFile[];
  /** Paths of those that are not in UTF-8: they are read as the compiler reads them, and can never be rewritten. */
  readonly notUtf8: readonly string[];
}

/** Parses the other sources of the same package that mention one of these names, or extend one of these classes. */
export function loadMentions(
  workspace: Workspace,
  names: ReadonlySet<string>,
  classes: ReadonlySet<string>,
): Mentions {
  const { project, targets, searchPackage } = workspace;
  const root = packageRoot(targets[0]?.getFilePath());
  if (!searchPackage || names.size + classes.size === 0 || root === undefined)
    return { files: [], notUtf8: [] };
  const files: SourceFile[] = [];
  const notUtf8: string[] = [];
  const known = new Set<string>(targets.map((file) => file.getFilePath()));
  const anyOf = (set: ReadonlySet<string>) =>
    set.size === 0 ? "(?!)" : [...set].map((name) => name.replaceAll("$", "\\$")).join("|");
  const extended = `\\bextends\\s+(?:[\\w$]+\\.)*(?:${anyOf(classes)})`;
  const mention = new RegExp(`(?:(?<![\\w$])(?:${anyOf(names)})|${extended})(?![\\w$])`);
  for (const path of codeOfPackage(root)) {
    if (known.has(path)) continue;
    const bytes = bytesOf(path);
    const text = textOf(path, bytes);
    if (!mention.test(text)) continue;
    files.push(parsed(project, path, text));
    if (!isUtf8(bytes)) notUtf8.push(path);
  }
  return { files, notUtf8 };
}

function packageRoot(path: string | undefined): string | undefined {
  for (let directory = path && dirname(path); directory; directory = dirname(directory)) {
    if (ts.sys.fileExists(join(directory, "package.json"))) return directory;
    if (directory === dirname(directory)) return undefined;
  }
  return undefined;
}
