/** Nobody at the other end. */
export class NullChar {
  write(_byte: number): void {}
  attach(): void {}
  close(): void {}
}
