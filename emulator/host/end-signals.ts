/** Signals that ask a program to end, and what the shell shows of a program that they ended: 128 and their number. */
const END_SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** @param exitCode what the program is to end with. */
type Ending = (exitCode: number) => void;

/** Whoever can end properly what runs, the latest last. */
const endings: Ending[] = [];
let installed = false;

/** A signal to a process and to its group, as timeout(1) sends it, is one wish. */
const SAME_WISH_MS = 500;

/**
 * Has the first signal that asks the program to end handled by `end`, instead of by who was asked to before. Another one later ends
 * the program at once.
 *
 * @returns what takes it back
 */
export function onEndSignal(end: Ending): () => void {
  install();
  endings.push(end);
  return () => {
    const index = endings.lastIndexOf(end);
    if (index >= 0) endings.splice(index, 1);
  };
}

/** Lets what is registered for the process's exit happen when a signal ends it, too. */
function install(): void {
  if (installed) return;
  installed = true;
  let asked = Number.NaN; // when
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
