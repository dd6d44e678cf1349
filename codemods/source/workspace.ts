import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Project, type SourceFile, ts } from "ts-morph";
import { CommandError, systemErrorCode } from "#host";
import { sourcesUnder } from "./discover.ts";
import { Identity, resolveRoom } from "./identity.ts";
import { parseRawText } from "./raw-text.ts";

/** Sources to convert, parsed and with their types at hand. */
export interface Workspace {
  readonly project: Project;
  readonly targets: readonly SourceFile[];
  /** Texts of the targets as they were read, by path. */
  readonly raw: ReadonlyMap<string, string>;
  /** Other files of the package that are searched for uses; the second pass finds them. */
  readonly others: SourceFile[];
  readonly identity: Identity;
}

export interface WorkspaceOptions {
  /** Texts to take instead of what the disk holds, by absolute path. */
  readonly overlay?: ReadonlyMap<string, string>;
  /** Parsed files that may be used again: several conversions in one process share them. */
  readonly project?: Project;
}

/**
 * A project that resolves types as the package's own compiler run does: package subpaths lead to sources. Only the
 * language's own library is loaded; nothing here depends on the runtime's types.
 */
/** Condition under which package subpaths lead to sources. */
const SOURCES: readonly string[] = ["source"];

export function newProject(conditions: readonly string[] = SOURCES): Project {
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
      skipLibCheck: true,
      noEmit: true,
    },
  });
}

/** Rooms are read as their sources in this repository, and as their declarations where the package is installed. */
function projectFor([first]: readonly string[]): Project {
  const project = newProject();
  const isHere = first === undefined || resolveRoom(project, "#memory", first) !== undefined;
  return isHere ? project : newProject([]);
}

/** Reads and parses sources (absolute paths). @throws CommandError when one cannot be read or does not parse. */
export function openWorkspace(paths: readonly string[], options: WorkspaceOptions = {}): Workspace {
  const project = options.project ?? projectFor(paths);
  const raw = new Map(paths.map((path) => [path, options.overlay?.get(path) ?? readSource(path)]));
  const targets = [...raw].map(([path, source]) => {
    return project.createSourceFile(path, parseRawText(source).text, { overwrite: true });
  });
  for (const file of targets) requireParsed(project, file);
  const identity = new Identity(project, targets);
  return { project, targets, raw, others: [], identity };
}

/** Text of a source. @throws CommandError when it cannot be read. */
export function readSource(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = systemErrorCode(error);
    const reason = code === "EACCES" ? "no permission to read" : code === "ENOENT" ? "no such file" : code;
    throw new CommandError(`${shown(path)}: ${reason ?? "cannot be read"}; mend that and run again`);
  }
}

/** Hash that tells whether a file is still what an edit was planned on. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
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
    `${shown(file.getFilePath())}:${line}: does not parse: ${message} Mend the source first.`,
  );
}

/** Parses the other sources of the same package that mention one of these names, and keeps them as `others`. */
export function loadMentions({ project, targets, others }: Workspace, names: ReadonlySet<string>): void {
  const root = packageRoot(targets[0]?.getFilePath());
  if (names.size === 0 || root === undefined) return;
  const known = new Set<string>(targets.map((file) => file.getFilePath()));
  const escaped = [...names].map((name) => name.replaceAll("$", "\\$"));
  const mention = new RegExp(`(?<![\\w$])(?:${escaped.join("|")})(?![\\w$])`);
  for (const path of packageSources(root)) {
    if (known.has(path)) continue;
    const text = readSource(path);
    if (mention.test(text)) others.push(project.createSourceFile(path, text, { overwrite: true }));
  }
}

function packageRoot(path: string | undefined): string | undefined {
  for (let directory = path && dirname(path); directory; directory = dirname(directory)) {
    if (ts.sys.fileExists(join(directory, "package.json"))) return directory;
    if (directory === dirname(directory)) return undefined;
  }
  return undefined;
}

function packageSources(root: string): string[] {
  return sourcesUnder(root).filter(
    (path) => !/\/(dist|fixtures|node_modules)\//.test(path.slice(root.length)),
  );
}
