import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fixtures } from "./golden-project.ts";

/** A temporary directory that contains the golden project's components, so that regions resolve there. */
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
