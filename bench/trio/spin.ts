/** Keeps the processor busy: the self-test's extra work where the work itself cannot be divided. */
export function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}
