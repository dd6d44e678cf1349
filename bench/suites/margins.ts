/** Margins: differences up to these are of no practical importance. Fixed here, before any run. */

/** One access of a few nanoseconds. */
export const DISPATCH_MARGIN_PERCENT = 0.5;
/** All other times. */
export const OTHER_MARGIN_PERCENT = 1;
/** Exact counts of instructions. */
export const COUNT_MARGIN_PERCENT = 0.2;
