/**
 * Has the second thread compile files while others are still being judged. What it finds holds for the whole plan if the
 * plan has the same text for every file that the thread has read; anything else is compiled again.
 */
import type { Unit } from "../passes/4-plan.ts";
import type { Program } from "../pipeline.ts";
import { type Configuration, Configurations } from "../source/compiler-options.ts";
import { applyEdits, editsByPath } from "../source/edits.ts";
import type { Diagnostic } from "./compiler.ts";
import type { Assignment, SecondThread } from "./second-thread.ts";

/** Characters of source text that the thread checks at a time: few enough that it soon has something to do. */
const BATCH = 150_000;
/** So many batches are left to the thread when the plan is made: to check one here, too, the library would be read again. */
const LEFT_TO_THREAD = 3;

/** Files that the thread checks together, under one configuration. */
interface Batch {
  readonly configuration: Configuration;
  readonly paths: readonly string[];
  readonly assignment: Assignment;
}

/** Files that are yet to become a batch. */
interface Pending {
  readonly paths: string[];
  size: number;
}

export class Foresight {
  private readonly second: SecondThread;
  private configurations = new Configurations();
  /** Texts of all sources before the conversion. */
  private before: ReadonlyMap<string, string> = new Map();
  /** Texts after it of files that the thread has been told, and the number of the batch from which on it knows them. */
  private readonly told = new Map<string, { readonly text: string; readonly since: number }>();
  private readonly pending = new Map<Configuration, Pending>();
  private readonly batches: Batch[] = [];

  constructor(second: SecondThread) {
    this.second = second;
  }

  /** Takes the units of one file. Those that edit others, too, wait for the rest of the plan. */
  foresee(units: readonly Unit[], program: Program): void {
    const [edited, another] = editsByPath(units);
    if (edited === undefined || another !== undefined) return;
    if (this.before.size === 0) this.begin(program);
    const [path, edits] = edited;
    const text = applyEdits(this.before.get(path) ?? "", edits);
    this.told.set(path, { text, since: this.batches.length });
    const configuration = this.configurations.forFile(path);
    const pending = this.pending.get(configuration) ?? { paths: [], size: 0 };
    this.pending.set(configuration, pending);
    pending.paths.push(path);
    pending.size += text.length;
    if (pending.size >= BATCH) this.send(configuration, pending);
  }

  /**
   * The diagnostics of files that have been foreseen with the texts that they have in the plan.
   * @param wanted files of a configuration
   * @param texts those of the plan
   * @param here finds the diagnostics in this thread, for what the other one has not begun
   */
  take(
    { path: configuration }: Configuration,
    wanted: ReadonlySet<string>,
    texts: ReadonlyMap<string, string>,
    here: (paths: readonly string[]) => readonly Diagnostic[],
  ): Map<string, readonly Diagnostic[]> {
    const results = new Map<string, readonly Diagnostic[]>();
    const add = (paths: readonly string[], found: readonly Diagnostic[]) => {
      for (const path of paths) {
        if (wanted.has(path))
          results.set(
            path,
            found.filter((each) => each.path === path),
          );
      }
    };
    for (const [each, pending] of this.pending) this.send(each, pending);
    const begun: { readonly batch: Batch; readonly number: number }[] = [];
    for (let number = this.batches.length - 1; number >= 0; number--) {
      const batch = this.batches[number];
      if (batch === undefined || batch.configuration.path !== configuration) continue;
      const paths = batch.paths.filter((path) => wanted.has(path));
      const isMuch = !this.second.hasBegun(this.batches[number - LEFT_TO_THREAD]?.assignment);
      if (isMuch && this.second.takeBack(batch.assignment)) add(paths, here(paths));
      else begun.push({ batch, number });
    }
    for (const { batch, number } of begun.reverse()) {
      const checked = this.second.resultOf(batch.assignment);
      if (checked?.files.every((file) => this.holds(file, number, texts))) add(batch.paths, checked.found);
    }
    return results;
  }

  private begin({ sources, workspace }: Program): void {
    this.configurations = new Configurations(workspace.project.getCompilerOptions());
    this.before = new Map(sources.map((file) => [file.getFilePath(), file.getFullText()]));
  }

  private send(configuration: Configuration, { paths }: Pending): void {
    this.pending.delete(configuration);
    const number = this.batches.length;
    const news = [...this.told].flatMap(([path, { text, since }]): [string, string][] =>
      since === number ? [[path, text]] : [],
    );
    const texts = new Map(number === 0 ? [...this.before, ...news] : news);
    const assignment = this.second.checkAhead(configuration, paths, texts);
    if (assignment !== undefined) this.batches.push({ configuration, paths, assignment });
  }

  /** True if the plan's text of a file is the one that the thread knew when it checked a batch. */
  private holds(file: string, batch: number, texts: ReadonlyMap<string, string>): boolean {
    const told = this.told.get(file);
    const known = told !== undefined && told.since <= batch ? told.text : this.before.get(file);
    const planned = texts.get(file);
    return planned === undefined ? told === undefined : planned === known;
  }
}
