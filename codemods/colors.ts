import picocolors from "picocolors";

/** Colours on a terminal only: pipes, patches and logs get plain text. */
export const colors = picocolors.createColors(
  process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
);
