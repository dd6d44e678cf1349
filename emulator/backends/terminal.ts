import { once } from "node:events";
import { setTimeout } from "node:timers/promises";

/** What a terminal hands on. */
export interface TerminalEvents {
  /** Bytes typed, less the escapes of the terminal itself. */
  input(bytes: Uint8Array): void;
  /** Ctrl-A X was typed. */
  quit(): void;
}

/** Standard input and output as a guest's console. */
export interface Terminal {
  /** Whether a person types. */
  readonly interactive: boolean;
  /** Whether more input may come. */
  readonly open: boolean;
  write(byte: number): void;
  flush(): void;
  /** Resolves when input arrives, or after so many milliseconds (Infinity: not before input). */
  inputOr(milliseconds: number): Promise<void>;
  /** Gives the terminal back as it was. */
  close(): void;
}

const ESCAPE = 0x01; // Ctrl-A
const QUIT = "x".charCodeAt(0);
const LONGEST_WAIT_MS = 2 ** 30;

/**
 * Takes over standard input and output. In a terminal, keys arrive one by one and unechoed, and Ctrl-A introduces a
 * command as in QEMU: X ends, another Ctrl-A sends one.
 */
export function attachTerminal(events: TerminalEvents): Terminal {
  const { stdin, stdout } = process;
  const interactive = stdin.isTTY === true;
  const output: number[] = [];
  let open = true;
  let escaped = false;

  const receive = (chunk: Uint8Array): void => {
    const typed: number[] = [];
    for (const byte of chunk) {
      if (interactive && escaped) {
        escaped = false;
        if ((byte | 0x20) === QUIT) events.quit();
        else if (byte === ESCAPE) typed.push(byte);
      } else if (interactive && byte === ESCAPE) {
        escaped = true;
      } else {
        typed.push(byte);
      }
    }
    events.input(Uint8Array.from(typed));
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
    flush() {
      if (output.length === 0) return;
      stdout.write(Uint8Array.from(output));
      output.length = 0;
    },
    async inputOr(milliseconds) {
      const abort = new AbortController();
      const { signal } = abort;
      const input = open ? [once(stdin, "data", { signal }), once(stdin, "end", { signal })] : [];
      const waits = [...input, setTimeout(Math.min(milliseconds, LONGEST_WAIT_MS), undefined, { signal })];
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
