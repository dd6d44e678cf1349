/** What was measured in QEMU's own tree, built in both forms. The file may be written anew by who measures it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { QomError } from "#qom";
import { packageRoot } from "../package-root.ts";

/** Path of the file, inside the package. */
export const QEMU_FIGURES = "workloads/claims/qemu.json";
const SCHEMA = "regionlab.claims.qemu";

export interface QemuFigure {
  /** The claim that it bears on, such as `C11`. */
  readonly claim: string;
  readonly name: string;
  readonly value: string;
}

export interface QemuFigures {
  /** Version and target. */
  readonly tree: string;
  /** Where the measurement is described. */
  readonly source: string;
  /** Commands that repeat it. */
  readonly commands: readonly string[];
  readonly figures: readonly QemuFigure[];
}

/** @throws QomError when the file is not what it should be */
export function readQemuFigures(file: string = join(packageRoot(), QEMU_FIGURES)): QemuFigures {
  let stored: unknown;
  try {
    stored = JSON.parse(readFileSync(file, "utf8"));
  } catch (reason) {
    throw new QomError(
      `${file}: cannot be read as JSON; restore it from the package, or measure it again (docs/qemu-measured.md)`,
      {
        cause: reason,
      },
    );
  }
  if (!areFigures(stored))
    throw new QomError(`${file}: is no list of figures of QEMU (${SCHEMA}); restore it from the package`);
  return stored;
}

function areFigures(stored: unknown): stored is QemuFigures {
  if (!isRecord(stored) || stored.schema !== SCHEMA) return false;
  const { tree, source, commands, figures } = stored;
  const isText = (value: unknown) => typeof value === "string" && value !== "";
  return (
    isText(tree) &&
    isText(source) &&
    Array.isArray(commands) &&
    commands.every(isText) &&
    Array.isArray(figures) &&
    figures.every((figure) => isRecord(figure) && [figure.claim, figure.name, figure.value].every(isText))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
