import { createTwoFilesPatch } from "diff";
import type { colors as standardColors } from "./colors.ts";

type Colors = Pick<typeof standardColors, "red" | "green" | "cyan" | "bold">;

/** The change of one file as a patch that `git apply` and `patch -p1` take. @param path relative to the root */
export function fileDiff(path: string, before: string, after: string): string {
  const patch = createTwoFilesPatch(`a/${path}`, `b/${path}`, before, after);
  return patch.replace(/^=+\n/, "");
}

/** The same patch for a terminal. */
export function colored(patch: string, colors: Colors): string {
  const color = (line: string): string => {
    if (line.startsWith("+++") || line.startsWith("---")) return colors.bold(line);
    if (line.startsWith("@@")) return colors.cyan(line);
    if (line.startsWith("+")) return colors.green(line);
    return line.startsWith("-") ? colors.red(line) : line;
  };
  return patch.split("\n").map(color).join("\n");
}
