import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { congestionOf } from "#host";

/** Events of a terminal. */
export interface TerminalEvents {
  /** Bytes were typed, not counting the terminal's own escapes. */
  input(bytes: Uint8Array): void;
  /** Ctrl-A X was typed. */
  quit(): void;
  /** Ctrl-A B was typed: the line must be put into the break condition. */
  sendBreak(): void;
}

/** Receives keys instead of the console, and may write to the screen. */
export interface TerminalMonitor {
  input(bytes: Uint8Array): void;
  /** The monitor has gained or lost the keyboard focus. */
  focus(on: boolean): void;
}

/** Standard input and output as a guest's console. */
export interface Terminal {
  /** Whether input comes from a terminal. */
  readonly interactive: boolean;
  /** Whether more input may come. */
  readonly open: boolean;
  write(byte: number): void;
  flush(): void;
  /** Lets Ctrl-A C switch to `monitor` and back. */
  setMonitor(monitor: TerminalMonitor): void;
  /** Switches to the monitor, if there is one. */
  focusMonitor(): void;
  /** Puts text on the screen. */
  print(text: string): void;
  /** What to wait for before writing more, because the reader has fallen behind; null if nothing. */
  congestion(): Promise<void> | null;
  /** Resolves when input arrives or ends, when `asked` resolves, or after `milliseconds`, which may be Infinity. */
  inputOr(milliseconds: number, asked: Promise<void>): Promise<void>;
  /** Restores the terminal's previous state. */
  close(): void;
}

const ESCAPE = 0x01; // Ctrl-A
/** Keys that send a signal in a terminal that is not in raw mode: Ctrl-C and Ctrl-\. */
const SIGNALS = [0x03, 0x1c];

/** What keys mean to the emulator itself, as opposed to the guest. */
export interface TerminalKeys {
  /** Ctrl-A introduces a command. */
  readonly escapes: boolean;
  /** Ctrl-C and Ctrl-\ in a terminal end the emulator. */
  readonly signals: boolean;
}

const HELP = [
  "",
  "C-a h    print this help",
  "C-a x    end the emulator",
  "C-a b    send a break",
  "C-a c    switch between console and monitor",
  "C-a C-a  send C-a",
  "",
].join("\r\n");
const LONGEST_WAIT_MS = 2 ** 30;

/** Separates commands from other input: Ctrl-A and a letter, as in QEMU. */
export class KeyDecoder {
  private readonly command: (key: string) => void;
  private escaped = false;

  /** @param command called with the letter, in lower case. */
  constructor(command: (key: string) => void) {
    this.command = command;
  }

  /** Calls `typed` for the bytes between commands, in the order of input. */
  decode(chunk: Uint8Array, typed: (bytes: Uint8Array) => void): void {
    let plain: number[] = [];
    for (const byte of chunk) {
      if (!this.escaped && byte === ESCAPE) {
        this.escaped = true;
      } else if (this.escaped && byte !== ESCAPE) {
        this.escaped = false;
        if (plain.length > 0) typed(Uint8Array.from(plain));
        plain = [];
        this.command(String.fromCharCode(byte).toLowerCase());
      } else {
        this.escaped = false;
        plain.push(byte);
      }
    }
    if (plain.length > 0) typed(Uint8Array.from(plain));
  }
}

/** An error of standard input that comes after the terminal has been left: what cannot be read has no input. */
function unread(): void {}

/**
 * Takes over standard input and output. A terminal is put into raw mode, without echo. Ctrl-A commands work from a pipe,
 * too; Ctrl-A H lists them.
 */
export function attachTerminal(events: TerminalEvents, { escapes, signals }: TerminalKeys): Terminal {
  const { stdin, stdout } = process;
  const interactive = stdin.isTTY === true;
  const output: number[] = [];
  let open = true;
  let monitor: TerminalMonitor | null = null;
  let monitored = false;

  const print = (text: string): void => {
    stdout.write(text);
  };
  const switchTo = (on: boolean): void => {
    if (monitor === null || monitored === on) return;
    monitored = on;
    monitor.focus(on);
  };
  const command = (key: string): void => {
    if (key === "x") events.quit();
    else if (key === "h" || key === "?") print(HELP);
    else if (key === "b") events.sendBreak();
    else if (key === "c") switchTo(!monitored);
  };
  const keys = new KeyDecoder(command);
  const typed = (bytes: Uint8Array): void => {
    if (monitored) monitor?.input(bytes);
    else events.input(bytes);
  };
  const receive = (chunk: Uint8Array): void => {
    if (signals && interactive && SIGNALS.some((key) => chunk.includes(key))) events.quit();
    else if (escapes) keys.decode(chunk, typed);
    else typed(chunk);
  };
  const ended = (): void => {
    open = false;
  };
  if (interactive) stdin.setRawMode(true);
  if (!stdin.listeners("error").includes(unread)) stdin.on("error", unread);
  stdin.on("data", receive).on("end", ended).on("error", ended);

  return {
    interactive,
    get open() {
      return open;
    },
    write: (byte) => output.push(byte),
    setMonitor(other) {
      monitor = other;
    },
    focusMonitor: () => switchTo(true),
    print,
    flush() {
      if (output.length === 0) return;
      stdout.write(Uint8Array.from(output));
      output.length = 0;
    },
    congestion: () => congestionOf(stdout),
    async inputOr(milliseconds, asked) {
      const abort = new AbortController();
      const { signal } = abort;
      const input = open ? [once(stdin, "data", { signal }), once(stdin, "end", { signal })] : [];
      const waits = [
        asked,
        ...input,
        setTimeout(Math.min(milliseconds, LONGEST_WAIT_MS), undefined, { signal }),
      ];
      await Promise.race(waits.map((wait) => wait.catch(() => undefined)));
      abort.abort();
    },
    close() {
      this.flush();
      stdin.off("data", receive).off("end", ended).off("error", ended);
      if (interactive) stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
