/** Whole machines in a file, and in a few lines that tell two of them apart. */
export { type Fingerprint, fingerprintOf } from "./fingerprint.ts";
export { checkSavable, restoreSnapshot, saveSnapshot } from "./snapshot.ts";
