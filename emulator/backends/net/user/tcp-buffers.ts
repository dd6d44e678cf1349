/** Buffers of a TCP connection: bytes sent but not acknowledged, and segments that arrived out of order. */
import { sequenceAdd, sequenceDistance } from "./tcp-segment.ts";

/** Bytes that were written but not yet acknowledged, oldest first. */
export class SendBuffer {
  private readonly chunks: Uint8Array[] = [];
  private bytes = 0;

  get length(): number {
    return this.bytes;
  }

  append(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.chunks.push(chunk.slice()); // the caller may reuse its buffer
    this.bytes += chunk.length;
  }

  /** Copies up to `length` bytes from `offset` on. */
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

  /** Drops the first `count` bytes. */
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

/** A run of bytes at its sequence number, and whether a FIN follows it. */
export interface Piece {
  readonly sequence: number;
  readonly data: Uint8Array;
  readonly fin: boolean;
}

/** Maximum number of pieces kept; further ones are dropped, and the sender retransmits them. */
const MOST_PIECES = 64;

/** Segments that arrived before those that precede them. */
export class EarlySegments {
  private readonly pieces: Piece[] = [];

  keep(piece: Piece): void {
    if (this.pieces.length < MOST_PIECES) this.pieces.push({ ...piece, data: piece.data.slice() });
  }

  /** Removes and returns a piece that starts at or before `next`; null if there is none. */
  takeUpTo(next: number): Piece | null {
    const index = this.pieces.findIndex(({ sequence }) => sequenceDistance(sequence, next) <= 0);
    return index < 0 ? null : (this.pieces.splice(index, 1)[0] ?? null);
  }
}

/** The part of a piece from `next` on; null if all of it, including a FIN, lies before. */
export function partFrom(piece: Piece, next: number): Piece | null {
  const skip = sequenceDistance(next, piece.sequence);
  if (skip <= 0) return piece;
  if (skip > piece.data.length || (skip === piece.data.length && !piece.fin)) return null;
  return { sequence: next, data: piece.data.subarray(skip), fin: piece.fin };
}

/** The part of a piece before `end`. The FIN, which takes a sequence number of its own, is cut off with the rest. */
export function partBefore(piece: Piece, end: number): Piece {
  const room = Math.max(sequenceDistance(end, piece.sequence), 0);
  if (sequenceDistance(sequenceAdd(piece.sequence, piece.data.length + (piece.fin ? 1 : 0)), end) <= 0)
    return piece;
  return { sequence: piece.sequence, data: piece.data.subarray(0, room), fin: false };
}
