/** Signals that ask a program to end, and their numbers. Exit codes are 128 plus the number, as in a shell. */
const END_SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

/** @param exitCode the exit code to end with. */
type Ending = (exitCode: number) => void;

/** Handlers that can end the program cleanly, the newest last. */
const endings: Ending[] = [];
let installed = false;

/** timeout(1) signals both the process and its group: signals within this time count as one. */
const SAME_WISH_MS = 500;

/**
 * Lets `end` handle the first signal that asks the program to end, in place of earlier handlers. A later signal ends
 * the program at once.
 *
 * @returns a function that unregisters it
 */
export function onEndSignal(end: Ending): () => void {
  install();
  endings.push(end);
  return () => {
    const index = endings.lastIndexOf(end);
    if (index >= 0) endings.splice(index, 1);
  };
}

/** Makes the process's exit handlers run when a signal ends it, too. */
function install(): void {
  if (installed) return;
  installed = true;
  let asked = Number.NaN; // time of the latest signal
  for (const [signal, number] of Object.entries(END_SIGNALS)) {
    process.on(signal, () => {
      const now = performance.now();
      if (now - asked < SAME_WISH_MS) return;
      const end = Number.isNaN(asked) ? endings.at(-1) : undefined;
      asked = now;
      if (end === undefined) process.exit(128 + number);
      end(128 + number);
    });
  }
}
