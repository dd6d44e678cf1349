/** Whole machines in a file. */
export { checkSavable, restoreSnapshot, saveSnapshot } from "./snapshot.ts";
