import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { InputError } from "./errors.ts";

/** A file that the user asked for: it takes its name only when it is whole, so that nobody ever sees half of it. */
export class OutputFile {
  private readonly path: string;
  private readonly part: string;
  private readonly descriptor: number;

  /** @throws InputError that names the option and the file when it cannot be written. */
  constructor(option: string, path: string) {
    this.path = path;
    this.part = `${path}.${process.pid}.part`;
    try {
      this.descriptor = openSync(this.part, "w");
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      throw new InputError(`${option} ${path}: ${REASONS[code] ?? code}; give a path that can be written`);
    }
  }

  write(content: string | Uint8Array): void {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    for (let done = 0; done < bytes.length; ) done += writeSync(this.descriptor, bytes, done);
  }

  /** Ends it: whole, or discarded. */
  close(whole: boolean): void {
    closeSync(this.descriptor);
    if (whole) renameSync(this.part, this.path);
    else rmSync(this.part, { force: true });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "its folder does not exist",
  ENOTDIR: "its folder is a file",
  EACCES: "no permission to write there",
  EROFS: "its file system is read only",
  EISDIR: "it is a folder",
};
