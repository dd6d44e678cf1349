/** What the tests of this room share. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Project } from "ts-morph";
import { type FilePlan, planConversion } from "./passes/4-plan.ts";
import type { Direction } from "./regions/facts.ts";
import { newProject } from "./source/workspace.ts";

/** Directory of the golden project. */
export const fixtures = join(dirname(fileURLToPath(import.meta.url)), "fixtures");

/** Names in a directory of the golden project, sorted. */
export function fixtureNames(...path: string[]): string[] {
  return readdirSync(join(fixtures, ...path)).sort();
}

export function readFixture(...path: string[]): string {
  return readFileSync(join(fixtures, ...path), "utf8");
}

/** Converts texts as if they were files of the golden project. One project serves a whole test file. */
export class Converter {
  private readonly project: Project = newProject();

  /** `path` is relative to the golden project; without `text` the file's own is taken. */
  convert(path: string, direction: Direction, text?: string): FilePlan {
    const absolute = join(fixtures, path);
    const overlay = text === undefined ? new Map<string, string>() : new Map([[absolute, text]]);
    const [file] = planConversion([absolute], direction, { project: this.project, overlay }).files;
    if (file === undefined) throw new Error(`no plan for ${path}`);
    return file;
  }

  /** Converts several files of the golden project in one go; plans by path. */
  convertAll(paths: readonly string[], direction: Direction): Map<string, FilePlan> {
    const absolute = paths.map((path) => join(fixtures, path));
    const { files } = planConversion(absolute, direction, { project: this.project });
    return new Map(files.map((file) => [relative(fixtures, file.path), file]));
  }

  /** Messages of the compiler about `text` as a file of the golden project. */
  diagnose(path: string, text: string): string[] {
    const file = this.project.createSourceFile(join(fixtures, path), text, { overwrite: true });
    return file
      .getPreEmitDiagnostics()
      .map((each) => `${path}:${each.getLineNumber()}: ${JSON.stringify(each.getMessageText())}`);
  }
}

/** A directory of the test's own with the golden project's rooms in it, so that regions resolve there too. */
export class Scratch {
  readonly root = mkdtempSync(join(tmpdir(), "codemods-"));

  constructor() {
    cpSync(join(fixtures, "package.json"), join(this.root, "package.json"));
    cpSync(join(fixtures, "stub"), join(this.root, "stub"), { recursive: true });
  }

  path(...names: string[]): string {
    return join(this.root, ...names);
  }

  write(name: string, text: string): string {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
