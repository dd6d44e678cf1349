/** Host side of devices. */
export {
  attachTerminal,
  KeyDecoder,
  type Terminal,
  type TerminalEvents,
  type TerminalMonitor,
} from "./terminal.ts";
