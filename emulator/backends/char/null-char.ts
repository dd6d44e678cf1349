/** A line with nothing at the other end: discards output, gives no input. */
export class NullChar {
  write(_byte: number): void {}
  attach(): void {}
  close(): void {}
}
