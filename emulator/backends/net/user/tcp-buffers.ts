/** What a TCP connection has to keep: bytes until they are acknowledged, and bytes that came too early. */
import { sequenceAdd, sequenceDistance } from "./tcp-segment.ts";

/** Bytes that have been written and not been acknowledged, oldest first. */
export class SendBuffer {
  private readonly chunks: Uint8Array[] = [];
  private bytes = 0;

  get length(): number {
    return this.bytes;
  }

  append(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.chunks.push(chunk.slice()); // the caller may go on to use its own
    this.bytes += chunk.length;
  }

  /** Copies `length` bytes from `offset` on, or as many as there are. */
  copy(offset: number, length: number): Uint8Array {
    const copy = new Uint8Array(Math.max(Math.min(length, this.bytes - offset), 0));
    let at = -offset;
    for (const chunk of this.chunks) {
      if (at >= copy.length) break;
      const first = Math.max(-at, 0);
      const last = Math.min(chunk.length, copy.length - at);
      if (first < last) copy.set(chunk.subarray(first, last), at + first);
      at += chunk.length;
    }
    return copy;
  }

  /** Forgets the first `count` bytes. */
  drop(count: number): void {
    let left = Math.min(count, this.bytes);
    this.bytes -= left;
    while (left > 0) {
      const [first] = this.chunks;
      if (first === undefined) return;
      if (first.length > left) {
        this.chunks[0] = first.subarray(left);
        return;
      }
      left -= first.length;
      this.chunks.shift();
    }
  }
}

/** A run of bytes at its place in the sequence, and whether the peer ends behind it. */
export interface Piece {
  readonly sequence: number;
  readonly data: Uint8Array;
  readonly fin: boolean;
}

/** Pieces kept at most; one more is dropped, and its sender will send it again. */
const MOST_PIECES = 64;

/** Segments that came before those that precede them. */
export class EarlySegments {
  private readonly pieces: Piece[] = [];

  keep(piece: Piece): void {
    if (this.pieces.length < MOST_PIECES) this.pieces.push({ ...piece, data: piece.data.slice() });
  }

  /** Takes out a piece that reaches or touches `next` from below; null if there is none. */
  takeUpTo(next: number): Piece | null {
    const index = this.pieces.findIndex(({ sequence }) => sequenceDistance(sequence, next) <= 0);
    return index < 0 ? null : (this.pieces.splice(index, 1)[0] ?? null);
  }
}

/** The part of a piece from `next` on; null if all of it, its end included, lies before. */
export function partFrom(piece: Piece, next: number): Piece | null {
  const skip = sequenceDistance(next, piece.sequence);
  if (skip <= 0) return piece;
  if (skip > piece.data.length || (skip === piece.data.length && !piece.fin)) return null;
  return { sequence: next, data: piece.data.subarray(skip), fin: piece.fin };
}

/** The part of a piece before `end`. Its FIN, which takes a place of its own, goes with what is cut off. */
export function partBefore(piece: Piece, end: number): Piece {
  const room = Math.max(sequenceDistance(end, piece.sequence), 0);
  if (sequenceDistance(sequenceAdd(piece.sequence, piece.data.length + (piece.fin ? 1 : 0)), end) <= 0)
    return piece;
  return { sequence: piece.sequence, data: piece.data.subarray(0, room), fin: false };
}
