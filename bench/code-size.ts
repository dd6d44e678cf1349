/** The size of the source of each device in both forms. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError } from "#host";
import type { CodeSize, SourceSize } from "#results";

/**
 * Where the build stores the sizes: next to this module in `dist/`. An installed package has no sources to measure and
 * reads the sizes from there.
 */
export const STORED_SIZES = fileURLToPath(new URL("./code-size.json", import.meta.url));

/**
 * Code size of every device that creates a region, in both trees: measured if the sources are there, otherwise as the
 * build measured it.
 *
 * @param hwFolder the folder that holds `embedded` and `owned`; missing or incomplete in an installed package
 * @param stored file that the build wrote
 * @throws CommandError (exit code 2) when there are neither sources nor a readable file
 */
export function measureCodeSize(hwFolder: string, stored: string = STORED_SIZES): CodeSize[] {
  // An installed package has the few sources that its documents refer to, but not the tree's index.
  return existsSync(join(hwFolder, "embedded", "index.ts"))
    ? measureSources(hwFolder)
    : readSizes(hwFolder, stored);
}

/**
 * Counts region fields and lines of every source in both trees that creates a region.
 *
 * The sources are read as text, in the layout of the formatter and the codemods: a region field is declared either as
 * `name = this.embed(MemoryRegion)` or `this.embedArray(MemoryRegion, …)`, or with the type `MemoryRegion` or
 * `MemoryRegion[]`.
 *
 * @param hwFolder the folder that holds `embedded` and `owned`
 */
export function measureSources(hwFolder: string): CodeSize[] {
  return sizesOf(hwFolder, (file) => readFileSync(join(hwFolder, "owned", file), "utf8"));
}

/**
 * The same for the embedded tree and one of which some files are converted, in place of the owned one.
 *
 * @param texts of the mixture, by path inside the tree
 */
export function measureMixture(hwFolder: string, texts: ReadonlyMap<string, string>): CodeSize[] {
  return sizesOf(hwFolder, (file) => {
    const text = texts.get(file);
    if (text === undefined) throw new RangeError(`${file} is not among the texts of the mixture`);
    return text;
  });
}

function sizesOf(hwFolder: string, other: (file: string) => string): CodeSize[] {
  const sizes: CodeSize[] = [];
  for (const file of sourceFiles(join(hwFolder, "embedded"))) {
    const embedded = readFileSync(join(hwFolder, "embedded", file), "utf8");
    if (!createsRegion(embedded)) continue;
    const owned = other(file);
    sizes.push({
      device: file.replace(/\.ts$/, ""),
      file,
      embedded: sourceSize(embedded),
      owned: sourceSize(owned),
    });
  }
  return sizes;
}

function readSizes(hwFolder: string, stored: string): CodeSize[] {
  try {
    return JSON.parse(readFileSync(stored, "utf8")) as CodeSize[]; // from write-code-size.ts of this same build
  } catch (error) {
    const reason = error instanceof SyntaxError ? "is not JSON" : "cannot be read";
    throw new CommandError(
      `${stored}: ${reason}, and ${hwFolder} has no sources to measure; install regionlab again, or run npm run build`,
    );
  }
}

/** Size of one source file; exported for its test. */
export function sourceSize(text: string): SourceSize {
  const lines = text.split("\n");
  return {
    regionFields: lines.filter((line) => REGION_FIELD.test(line)).length,
    lines: text.endsWith("\n") ? lines.length - 1 : lines.length,
  };
}

/** A class field, indented by two columns: modifiers, a name, and a region as its type or value. */
const REGION_FIELD =
  /^ {2}(?:(?:private|protected|public|readonly|override|static|declare) )*[#\w]+[!?]?(?:: MemoryRegion(?:\[\])?(?: \| null)?(?: =|;)| = this\.embed(?:Array)?\(MemoryRegion\b)/;

function createsRegion(text: string): boolean {
  return /\bthis\.embed(?:Array)?\(MemoryRegion\b|\bMemoryRegion\.new\w*\(/.test(text);
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .sort();
}
