import picocolors from "picocolors";

/** Colours only where a person looks: what goes into a pipe, a patch or a log is plain text. */
export const colors = picocolors.createColors(
  process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
);
