import { basename } from "node:path";
import {
  CommandError,
  flushStandardOutput,
  type NamedFile,
  OutputFile,
  type OutputOptions,
  requireApart,
  requireDistinct,
} from "#host";

/**
 * Names of files that a conversion or an audit may read besides those that it is given: sources that they import or
 * that mention their classes, and configurations of compilers and formatters.
 */
const MAY_BE_READ =
  /\.([cm]?[jt]sx?|[ch]|cc|cpp|hh|hpp|inc|rs)$|^(package|[jt]sconfig.*|\.?biome)\.jsonc?$|^\.(editorconfig|prettierrc.*)$|^MAINTAINERS$/i;

/**
 * The files that a command's options name, declared before anything is read and written once everything is known; `-` is
 * standard output.
 */
export class ReportFiles {
  private readonly print: (text: string) => void;
  private readonly printed = new Set<string>();
  private readonly files = new Map<string, OutputFile>();

  /**
   * @param named path of each option; undefined: it was not given
   * @param print writes to standard output
   * @throws CommandError when a file cannot be written, or two outputs are one
   */
  constructor(named: Readonly<Record<string, string | undefined>>, print: (text: string) => void) {
    this.print = print;
    for (const [option, path] of Object.entries(named)) {
      if (path === "-") this.printed.add(option);
      else if (path !== undefined) this.files.set(option, new OutputFile(option, path));
    }
    if (this.printed.size > 1)
      throw new CommandError(
        `${[...this.printed].join(" - and ")} -: only one of them can be standard output`,
      );
    requireDistinct(this.places());
  }

  get takesStandardOutput(): boolean {
    return this.printed.size > 0;
  }

  async ready(): Promise<void> {
    for (const file of this.files.values()) await file.ready();
  }

  /**
   * @param others what is read besides; asked only if there is a file to write
   * @throws CommandError if one of them would overwrite a source, or what may be read with it
   */
  keepApart(sources: Iterable<string>, others: () => readonly NamedFile[] = () => []): void {
    if (this.files.size === 0) return;
    const inputs = Array.from(sources, (path) => ({ option: "the source", path }));
    requireApart(this.places(), [...inputs, ...others()]);
    for (const { label, path, stats } of this.places()) {
      if (stats?.isFile() === true && MAY_BE_READ.test(basename(path)))
        throw new CommandError(
          `${label}: is a source or a configuration by its name, and would be lost; give another, or remove it first`,
        );
    }
  }

  /** Adds a file, to which text is then written by its path. @throws CommandError when it cannot be written, or is another's */
  add(option: string, path: string, options: OutputOptions): void {
    this.files.set(path, new OutputFile(option, path, options));
    requireDistinct(this.places());
  }

  /** Whether anybody wants what an option names. */
  has(option: string): boolean {
    return this.files.has(option) || this.printed.has(option);
  }

  /** Writes what an option asks for, if it was given. */
  write(option: string, text: string | Uint8Array): void {
    this.files.get(option)?.write(text);
    if (this.printed.has(option)) this.print(String(text));
  }

  /** Writes a value as JSON. */
  writeJson(option: string, value: () => unknown, indent = 2): void {
    if (this.has(option)) this.write(option, `${JSON.stringify(value(), undefined, indent)}\n`);
  }

  /** Everything that is said has been taken, here and on standard output. @throws CommandError if not */
  async flush(): Promise<void> {
    for (const file of this.files.values()) await file.flush();
    await flushStandardOutput();
  }

  async commit(): Promise<void> {
    for (const file of this.files.values()) await file.commit();
  }

  discard(): void {
    for (const file of this.files.values()) file.discard();
  }

  private places() {
    return [...this.files.values()].map(({ place }) => place);
  }
}
