/** What a hart must do about changes of code that it may have decoded. */
export interface CodeListener {
  /** The page at `direct` now holds decoded code: stores to it must be noticed. */
  protectPage(direct: number): void;
  /** Bytes of a page with code have changed. */
  codeWritten(direct: number, length: number): void;
}

/**
 * Tracks which pages of guest memory hold decoded instructions, for all harts that share it. A page counts as code from
 * when a hart first decodes it until every hart has dropped it; meanwhile stores to it take the slow path and notify
 * all harts, so that self-modifying code works without `fence.i`. Addresses are offsets in the WebAssembly memory.
 */
export class CodePages {
  private readonly holders = new Map<number, number>();
  private readonly listeners: CodeListener[] = [];

  attach(listener: CodeListener): void {
    this.listeners.push(listener);
  }

  /** A hart starts to hold decoded code of this page. */
  hold(direct: number): void {
    const count = this.holders.get(direct) ?? 0;
    this.holders.set(direct, count + 1);
    if (count > 0) return;
    for (const listener of this.listeners) listener.protectPage(direct);
  }

  /** A hart has dropped its decoded code of this page. */
  release(direct: number): void {
    const count = this.holders.get(direct) ?? 0;
    if (count > 1) this.holders.set(direct, count - 1);
    else this.holders.delete(direct);
  }

  isCode(direct: number): boolean {
    return this.holders.has(direct);
  }

  /** To be called after `length` bytes at `direct` were written, in any number of pages, code or not. */
  written(direct: number, length: number): void {
    const end = direct + length;
    for (let start = direct; start < end; ) {
      const page = start - (start % 4096);
      const stop = Math.min(end, page + 4096);
      if (this.holders.has(page)) {
        for (const listener of this.listeners) listener.codeWritten(start, stop - start);
      }
      start = stop;
    }
  }
}
