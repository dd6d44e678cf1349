/** Signals that ask a program to end, and their numbers. Exit codes are 128 plus the number, as in a shell. */
const END_SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

/** @param exitCode the exit code to end with. */
type Ending = (exitCode: number) => void;

/** Handlers that can end the program cleanly, the newest last. */
const endings: Ending[] = [];
/** How many {@link holdEndSignals} have not been released. */
let holders = 0;
/** What takes the signal handlers back; undefined if there are none. */
let uninstall: (() => void) | undefined;

/** timeout(1) signals both the process and its group: signals within this time count as one. */
const SAME_WISH_MS = 500;

/**
 * Lets `end` handle the first signal that asks the program to end, in place of earlier handlers. A later signal ends
 * the program at once.
 *
 * @returns a function that unregisters it
 */
export function onEndSignal(end: Ending): () => void {
  const release = holdEndSignals();
  endings.push(end);
  return () => {
    const index = endings.lastIndexOf(end);
    if (index >= 0) endings.splice(index, 1);
    release();
  };
}

/**
 * Has the process's exit handlers run when a signal ends it, too. Signals then wait until JavaScript has returned to the event
 * loop; while nothing holds them, they end the process at once, whatever it is busy with.
 *
 * @returns a function that releases them
 */
export function holdEndSignals(): () => void {
  holders++;
  uninstall ??= install();
  let isHeld = true;
  return () => {
    if (!isHeld) return;
    isHeld = false;
    if (--holders > 0) return;
    uninstall?.();
    uninstall = undefined;
  };
}

function install(): () => void {
  let asked = Number.NaN; // time of the latest signal
  const handlers = Object.entries(END_SIGNALS).map(([signal, number]) => {
    const handler = () => {
      const now = performance.now();
      if (now - asked < SAME_WISH_MS) return;
      const end = Number.isNaN(asked) ? endings.at(-1) : undefined;
      asked = now;
      if (end === undefined) process.exit(128 + number);
      end(128 + number);
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  return () => {
    for (const { signal, handler } of handlers) process.off(signal, handler);
  };
}
