/** A table as shown on the terminal, in Markdown and on the page. */
import type { Interval, Verdict } from "../schema.ts";

export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  /** Columns of figures, which are aligned to the right. */
  readonly numeric: readonly boolean[];
  /** Column of the verdict; absent if there is none. */
  readonly verdictColumn?: number;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly cells: readonly string[];
  /** Selects the colour. */
  readonly verdict?: Verdict;
  /** Starts a group of rows with this title. */
  readonly group?: string;
  /** Continues the row above, whose first cell names both. */
  readonly continues?: boolean;
  /** Must not be overlooked: a failed proof, an exceeded limit. */
  readonly alarm?: boolean;
  /** Whole sentences that belong to this row. */
  readonly notes?: readonly string[];
  /** Data for a picture of the row. */
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
