/** Machine state, saved to a file, or as a fingerprint that distinguishes two machines. */
export { type Fingerprint, fingerprintOf } from "./fingerprint.ts";
export { checkSavable, restoreSnapshot, restoreSnapshotFile, saveSnapshot } from "./snapshot.ts";
