import { DEBIAN_PROMPT } from "../debian.ts";
import type { Reply } from "./converse.ts";

/** Goes from the installer's first prompt back to its menu, and from there to a shell. */
export const TO_THE_SHELL: readonly Reply[] = [
  { expect: DEBIAN_PROMPT, send: "" },
  { expect: "help, default=2> ", send: "<\n" },
  { expect: "9: Execute a shell", send: "" },
  { expect: "help, default=1> ", send: "9\n" },
  { expect: "continue", send: "\n" },
];

/** Prompt of that shell. */
export const SHELL_PROMPT = "~ # ";
