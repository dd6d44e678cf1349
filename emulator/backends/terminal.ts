import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { congestionOf } from "#host";

/** What a terminal hands on. */
export interface TerminalEvents {
  /** Bytes typed, less the escapes of the terminal itself. */
  input(bytes: Uint8Array): void;
  /** Ctrl-A X was typed. */
  quit(): void;
  /** Ctrl-A B was typed: the line is to be held in the break condition. */
  sendBreak(): void;
}

/** Takes what is typed instead of the console, and may write to the screen. */
export interface TerminalMonitor {
  input(bytes: Uint8Array): void;
  /** It has become, or is no longer, who gets the keys. */
  focus(on: boolean): void;
}

/** Standard input and output as a guest's console. */
export interface Terminal {
  /** Whether a person types. */
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
  /** What to wait for before more is written: the reader has fallen behind. Null: nothing. */
  congestion(): Promise<void> | null;
  /** Resolves when input arrives, when `asked` does, or after so many milliseconds (Infinity: not before). */
  inputOr(milliseconds: number, asked: Promise<void>): Promise<void>;
  /** Gives the terminal back as it was. */
  close(): void;
}

const ESCAPE = 0x01; // Ctrl-A
const INTERRUPT = 0x03; // Ctrl-C
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

/** Takes the commands out of what is typed: Ctrl-A and a letter, as QEMU has them. */
export class KeyDecoder {
  private readonly command: (key: string) => void;
  private escaped = false;

  /** @param command told the letter, in lower case. */
  constructor(command: (key: string) => void) {
    this.command = command;
  }

  /** Calls `typed` with the bytes between commands, in order with them. */
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

/**
 * Takes over standard input and output. In a terminal, keys arrive one by one and unechoed. Ctrl-A introduces a command, from
 * a pipe as well; Ctrl-A H lists them.
 * @param escapes false: there are no commands, all keys are the guest's; Ctrl-C in a terminal ends the emulator.
 */
export function attachTerminal(events: TerminalEvents, escapes = true): Terminal {
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
    if (escapes) keys.decode(chunk, typed);
    else if (interactive && chunk.includes(INTERRUPT)) events.quit();
    else typed(chunk);
  };
  const ended = (): void => {
    open = false;
  };
  if (interactive) stdin.setRawMode(true);
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
