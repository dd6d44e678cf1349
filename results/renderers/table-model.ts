/** A table as the terminal, Markdown and the page all show it. */
import type { Interval, Verdict } from "../schema.ts";

export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  /** Columns whose cells are figures, aligned to the right. */
  readonly numeric: readonly boolean[];
  /** Column of the verdict; absent: none has one. */
  readonly verdictColumn?: number;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly cells: readonly string[];
  /** For colour. */
  readonly verdict?: Verdict;
  /** Opens a group of rows with this title. */
  readonly group?: string;
  /** Belongs to the row above, whose first cell names both. */
  readonly continues?: boolean;
  /** What must not be overlooked: a failed proof, a limit that was not kept. */
  readonly alarm?: boolean;
  /** Whole sentences that belong to this row. */
  readonly notes?: readonly string[];
  /** What a picture of the row would show. */
  readonly picture?: Picture;
}

/** A difference, the control, and the margin, all on one scale. */
export interface Picture {
  readonly ab: Interval;
  readonly aa: Interval;
  readonly margin: number;
}

/**
 * A table of plain cells.
 * @param numeric columns of figures, by index
 * @param alarms rows that must not be overlooked, by index
 */
export function plainTable(
  caption: string,
  head: readonly string[],
  numeric: readonly number[],
  rows: readonly (readonly string[])[],
  alarms: readonly number[] = [],
): Table {
  return {
    caption,
    head,
    numeric: head.map((_, i) => numeric.includes(i)),
    rows: rows.map((cells, i) => (alarms.includes(i) ? { cells, alarm: true } : { cells })),
  };
}
