import type { Terminal, TerminalMonitor } from "#backends";

const PROMPT = "(regionlab) ";
const BACKSPACE = [0x08, 0x7f];
const RETURN = [0x0a, 0x0d];
const CLEAR_LINE = 0x15; // Ctrl-U

/** The interactive monitor: reads a line, with backspace and Ctrl-U, and runs it at its end. */
export class MonitorPrompt implements TerminalMonitor {
  private readonly terminal: Pick<Terminal, "print">;
  private readonly execute: (line: string) => string;
  private line = "";

  constructor(terminal: Pick<Terminal, "print">, execute: (line: string) => string) {
    this.terminal = terminal;
    this.execute = execute;
  }

  focus(on: boolean): void {
    this.line = "";
    this.terminal.print(on ? `\r\n${PROMPT}` : "\r\n");
  }

  input(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (RETURN.includes(byte)) this.run();
      else if (BACKSPACE.includes(byte)) this.erase(1);
      else if (byte === CLEAR_LINE) this.erase(this.line.length);
      else if (byte >= 0x20 && byte < 0x7f) {
        this.line += String.fromCharCode(byte);
        this.terminal.print(String.fromCharCode(byte));
      }
    }
  }

  private run(): void {
    const said = this.execute(this.line);
    this.line = "";
    this.terminal.print(`\r\n${said.replaceAll("\n", "\r\n")}${PROMPT}`);
  }

  private erase(characters: number): void {
    const count = Math.min(characters, this.line.length);
    this.line = this.line.slice(0, this.line.length - count);
    this.terminal.print("\b \b".repeat(count));
  }
}
