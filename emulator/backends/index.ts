/** Host side of devices. */
export { attachTerminal, type Terminal, type TerminalEvents } from "./terminal.ts";
