import { spawn } from "node:child_process";

/** Text to type once the guest has printed something. */
export interface Reply {
  readonly expect: string;
  readonly send: string;
}

export interface Conversation {
  readonly replies: readonly Reply[];
  /** Text after which the machine is killed; absent if it ends by itself. */
  readonly until?: string;
  /** Timeout in milliseconds. */
  readonly patience: number;
}

/**
 * Runs a machine in a process of its own and types on its console, which is its standard input and output. Returns its
 * whole output. @throws Error with its last lines if it does not print an expected text
 */
export function converse(
  program: string,
  args: readonly string[],
  { replies, until, patience }: Conversation,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    const waiting = [...replies];
    let text = "";
    let complaints = "";
    let read = 0;
    let reached = false;
    const clock = setTimeout(() => child.kill("SIGKILL"), patience);
    child.stdin.on("error", () => {}); // a reply was sent after its end
    child.stderr.setEncoding("utf8").on("data", (words: string) => {
      complaints += words;
    });
    child.stdout.setEncoding("latin1").on("data", (printed: string) => {
      text += printed;
      for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
        const found = text.indexOf(next.expect, read);
        if (found < 0) return;
        read = found + next.expect.length;
        waiting.shift();
        child.stdin.write(next.send);
      }
      if (until === undefined || reached || !text.includes(until, read)) return;
      reached = true;
      child.kill("SIGKILL");
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(clock);
      const [next] = waiting;
      const ended = signal === null ? `ended with exit code ${code}` : `was ended after ${patience / 1000} s`;
      const fail = (expected: string) =>
        reject(
          new Error(`${program} ${ended} before ${expected}; it said:\n${text.slice(-3000)}\n${complaints}`),
        );
      if (next !== undefined) fail(`it printed ${JSON.stringify(next.expect)}`);
      else if (until !== undefined && !reached) fail(`it printed ${JSON.stringify(until)}`);
      else if (until === undefined && code !== 0) fail("it powered off");
      else resolve(text);
    });
  });
}
