/** Access to the golden project under fixtures/ for tests. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Project } from "ts-morph";
import type { FilePlan } from "../passes/4-plan.ts";
import { planConversion } from "../pipeline.ts";
import type { Direction } from "../regions/facts.ts";
import { newProject } from "../source/workspace.ts";
import { compilePlan } from "../verify/phase.ts";

/** Directory of the golden project. */
export const fixtures = join(dirname(fileURLToPath(import.meta.url)), "../fixtures");

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

  /** `path` is relative to the golden project; `text` defaults to the file's own text. */
  convert(path: string, direction: Direction, text?: string): FilePlan {
    const absolute = join(fixtures, path);
    const overlay = text === undefined ? new Map<string, string>() : new Map([[absolute, text]]);
    const [file] = planConversion([absolute], direction, { project: this.project, overlay }).files;
    if (file === undefined) throw new Error(`no plan for ${path}`);
    return file;
  }

  /** Converts several files of the golden project in one go, and compiles the result; plans by path. */
  convertAll(paths: readonly string[], direction: Direction): Map<string, FilePlan> {
    const absolute = paths.map((path) => join(fixtures, path));
    const { files } = planConversion(absolute, direction, { project: this.project, verify: compilePlan });
    return new Map(files.map((file) => [relative(fixtures, file.path), file]));
  }

  /** Compiler messages for `text` as a file of the golden project. */
  diagnose(path: string, text: string): string[] {
    const file = this.project.createSourceFile(join(fixtures, path), text, { overwrite: true });
    return file
      .getPreEmitDiagnostics()
      .map((each) => `${path}:${each.getLineNumber()}: ${JSON.stringify(each.getMessageText())}`);
  }
}
