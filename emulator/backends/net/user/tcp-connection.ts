/**
 * One end of a TCP connection. Source: RFC 9293; duplicate acknowledgments as in RFC 5681, challenges as in RFC 5961.
 *
 * The link to the guest loses nothing by itself and there is no clock, so nothing is retransmitted after a timeout, but
 * only when the peer repeats an acknowledgment or a segment.
 */
import { EarlySegments, type Piece, partBefore, partFrom, SendBuffer } from "./tcp-buffers.ts";
import {
  ACK,
  FIN,
  PSH,
  RST,
  refuse,
  SYN,
  segmentLength,
  sequenceAdd,
  sequenceDistance,
  type TcpSegment,
} from "./tcp-segment.ts";
import type { Endpoint } from "./udp.ts";

export type TcpState =
  | "syn-sent"
  | "syn-received"
  | "established"
  | "fin-wait-1"
  | "fin-wait-2"
  | "close-wait"
  | "closing"
  | "last-ack"
  | "time-wait"
  | "closed";

/** Why a connection ended: both sides finished, the guest reset or refused it, or this side aborted it. */
export type TcpEnd = "finished" | "reset" | "refused" | "aborted";

/** Callbacks of the connection's user; they may use the connection. */
export interface TcpHandler {
  /** The connection is established. */
  open?(): void;
  /** Delivers bytes in order; they are valid only during the call. */
  data?(bytes: Uint8Array): void;
  /** The guest will send no more. If absent, this side ends, too. */
  end?(): void;
  /** There is room to write again after `write` returned false. */
  drain?(): void;
  /** The connection has ended. Called once. */
  close?(end: TcpEnd): void;
}

/** What a connection needs from the network. */
export interface TcpLink {
  send(segment: TcpSegment): void;
  /** False while the queue to the guest is too long for more data; the network then calls `resume` later. */
  readonly hasRoom: boolean;
  /** Called once, when the connection needs no more segments. */
  forget(connection: TcpConnection): void;
}

/** Largest segment over Ethernet: 1500 bytes minus the IPv4 and TCP headers. */
const OWN_MSS = 1460;
/** Segment size of a peer that gives none (RFC 9293, section 3.7.1). */
const DEFAULT_MSS = 536;
const LEAST_MSS = 64;
/** Size of the receive buffer: the largest window without scaling. */
const RECEIVE_BYTES = 0xffff;
/** Unacknowledged bytes at which a writer should pause. */
const HIGH_WATER = 256 * 1024;
const DUPLICATES_BEFORE_REPEAT = 3;

const NOTHING = new Uint8Array(0);

export class TcpConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  private readonly link: TcpLink;
  private handler: TcpHandler = {};
  private current: TcpState = "closed";

  private readonly unacknowledged = new SendBuffer();
  private readonly initial: number;
  /** The oldest unacknowledged sequence number, and the next one to send. */
  private oldest: number;
  private next: number;
  private peerWindow = 0;
  /** Sequence and acknowledgment numbers of the segment that last updated the window. */
  private windowSequence = 0;
  private windowAcknowledgment = 0;
  private peerMss = DEFAULT_MSS;
  private duplicates = 0;
  private ending = false;
  private finSent = false;
  private writerWaits = false;

  private expected = 0;
  private readonly early = new EarlySegments();
  private paused = false;
  private held: Uint8Array[] = [];
  private heldBytes = 0;
  private peerEnded = false;
  private acknowledge = false;
  private endTold = false;
  private closeTold = false;

  /** @param initial the initial sequence number. */
  constructor(local: Endpoint, remote: Endpoint, link: TcpLink, initial: number) {
    this.local = local;
    this.remote = remote;
    this.link = link;
    this.initial = initial;
    this.oldest = initial;
    this.next = initial;
  }

  get state(): TcpState {
    return this.current;
  }

  /** Opens the connection to the guest. */
  connect(handler: TcpHandler): void {
    this.handler = handler;
    this.current = "syn-sent";
    this.next = sequenceAdd(this.initial, 1);
    this.sendSyn();
  }

  /** Answers the guest's SYN. */
  accept(handler: TcpHandler, syn: TcpSegment): void {
    this.handler = handler;
    this.takeSyn(syn);
    this.current = "syn-received";
    this.next = sequenceAdd(this.initial, 1);
    this.sendSyn();
  }

  /**
   * Sends bytes as soon as the guest accepts them. Returns false when much is queued: wait for `drain`. After the end
   * of the connection, bytes are lost.
   * @throws Error after `end`.
   */
  write(bytes: Uint8Array): boolean {
    if (this.ending) throw new Error("write to a TCP connection after its end; write before end()");
    if (this.over) return false;
    this.unacknowledged.append(bytes);
    this.output();
    this.writerWaits = this.unacknowledged.length >= HIGH_WATER;
    return !this.writerWaits;
  }

  /** Ends writing. Bytes can still arrive until the guest ends, too. */
  end(): void {
    if (this.ending || this.over) return;
    this.ending = true;
    if (this.current === "established") this.current = "fin-wait-1";
    else if (this.current === "close-wait") this.current = "last-ack";
    this.output();
  }

  /** Aborts the connection at once, with a reset. */
  abort(): void {
    if (this.over) return;
    if (this.current !== "syn-sent") this.link.send(this.resetSegment);
    this.finish("aborted");
  }

  /** The reset that tells the guest that the connection no longer exists. */
  get resetSegment(): TcpSegment {
    return {
      source: this.local,
      destination: this.remote,
      sequence: this.next,
      acknowledgment: this.expected,
      flags: RST | ACK,
      window: this.window,
      data: NOTHING,
    };
  }

  /** Stops calling `data`; once the receive buffer is full, the guest has to wait. */
  pause(): void {
    this.paused = true;
  }

  /** Delivers the bytes held back, and resumes. */
  resumeReading(): void {
    if (!this.paused) return;
    this.paused = false;
    const windowBefore = this.window;
    this.deliverHeld();
    if (this.over || this.paused) return;
    // Announce the room if the guest could not send a full segment before.
    if (windowBefore < OWN_MSS) this.sendAcknowledgment();
  }

  /** Resumes sending, when the link has room again. */
  resume(): void {
    this.output();
  }

  /** Takes a segment that belongs to this connection. */
  receive(segment: TcpSegment): void {
    if (this.current === "closed") return;
    if (this.current === "syn-sent") this.receiveInSynSent(segment);
    else this.receiveSynchronized(segment);
    if (this.closed) return;
    this.output();
    if (this.acknowledge) this.sendAcknowledgment();
  }

  private receiveInSynSent(segment: TcpSegment): void {
    const { flags, acknowledgment } = segment;
    const acknowledges = (flags & ACK) !== 0;
    if (acknowledges && acknowledgment !== this.next) {
      const refusal = refuse(segment);
      if (refusal !== null) this.link.send(refusal);
      return;
    }
    if ((flags & RST) !== 0) {
      if (acknowledges) this.finish("refused");
      return;
    }
    if ((flags & SYN) === 0) return;
    this.takeSyn(segment);
    if (!acknowledges) {
      this.current = "syn-received"; // both sides opened at once
      this.sendSyn();
      return;
    }
    this.acknowledge = true;
    this.oldest = acknowledgment;
    this.establish();
    this.takeText({ ...textOf(segment), sequence: this.expected });
  }

  private receiveSynchronized(segment: TcpSegment): void {
    const { flags, sequence } = segment;
    if (this.repeatsOpening(segment)) {
      if ((flags & ACK) === 0) {
        this.sendSyn();
        return;
      }
    } else if (!this.isInWindow(segment)) {
      if ((flags & RST) === 0) this.acknowledge = true;
      return;
    }
    if ((flags & RST) !== 0) {
      if (sequence === this.expected) this.finish("reset");
      else this.acknowledge = true; // a challenge ACK, in case it is a blind guess
      return;
    }
    if ((flags & SYN) !== 0 && this.current !== "syn-received") {
      this.acknowledge = true;
      return;
    }
    if ((flags & ACK) === 0) return;
    if (this.current === "syn-received") {
      if (segment.acknowledgment !== this.next) {
        const refusal = refuse(segment);
        if (refusal !== null) this.link.send(refusal);
        return;
      }
      this.oldest = segment.acknowledgment;
      this.setWindow(segment);
      this.establish();
    } else if (!this.takeAcknowledgment(segment)) {
      return;
    }
    if (!this.closed) this.takeText(textOf(segment));
  }

  /** Whether it repeats the SYN or, with ACK, is the reply of a peer that opened at the same time. */
  private repeatsOpening({ flags, sequence }: TcpSegment): boolean {
    if (this.current !== "syn-received" || (flags & (SYN | RST)) !== SYN) return false;
    return sequenceAdd(sequence, 1) === this.expected;
  }

  /** RFC 9293, section 3.10.7.4, first check. A zero window still lets acknowledgments through. */
  private isInWindow(segment: TcpSegment): boolean {
    const length = segmentLength(segment);
    const { window } = this;
    const first = sequenceDistance(segment.sequence, this.expected);
    if (first === 0) return true; // whatever does not fit is cut off later
    const last = first + Math.max(length, 1) - 1;
    return window > 0 && ((first > 0 && first < window) || (first < 0 && length > 0 && last >= 0));
  }

  private takeSyn({ sequence, window, mss }: TcpSegment): void {
    this.expected = sequenceAdd(sequence, 1);
    this.peerMss = Math.max(Math.min(mss ?? DEFAULT_MSS, OWN_MSS), LEAST_MSS);
    this.peerWindow = window;
    this.windowSequence = sequence;
    this.windowAcknowledgment = this.initial;
  }

  private establish(): void {
    this.current = this.ending ? "fin-wait-1" : "established";
    this.handler.open?.();
  }

  /** Returns false if the segment must be dropped. */
  private takeAcknowledgment(segment: TcpSegment): boolean {
    const { acknowledgment } = segment;
    const progress = sequenceDistance(acknowledgment, this.oldest);
    if (sequenceDistance(acknowledgment, this.next) > 0) {
      this.acknowledge = true; // the peer acknowledged data never sent
      return false;
    }
    if (progress > 0) {
      this.duplicates = 0;
      this.oldest = acknowledgment;
      this.unacknowledged.drop(progress); // with a FIN, one more than there are bytes
    } else if (this.isDuplicate(segment, progress)) {
      if (++this.duplicates === DUPLICATES_BEFORE_REPEAT) this.repeatOldest();
    }
    this.setWindow(segment);
    if (this.finSent && this.oldest === this.next) {
      if (this.current === "fin-wait-1") this.current = "fin-wait-2";
      else if (this.current === "closing") this.wait();
      else if (this.current === "last-ack") this.finish("finished");
    }
    if (this.writerWaits && this.unacknowledged.length < HIGH_WATER / 2) {
      this.writerWaits = false;
      this.handler.drain?.();
    }
    return true;
  }

  private isDuplicate(segment: TcpSegment, progress: number): boolean {
    return (
      progress === 0 &&
      segmentLength(segment) === 0 &&
      segment.window === this.peerWindow &&
      this.oldest !== this.next
    );
  }

  private setWindow({ sequence, acknowledgment, window }: TcpSegment): void {
    const newer = sequenceDistance(sequence, this.windowSequence);
    if (newer < 0 || (newer === 0 && sequenceDistance(acknowledgment, this.windowAcknowledgment) < 0)) return;
    this.peerWindow = window;
    this.windowSequence = sequence;
    this.windowAcknowledgment = acknowledgment;
  }

  private takeText(whole: Piece): void {
    if (whole.data.length === 0 && !whole.fin) return;
    this.acknowledge = true;
    if (this.peerEnded) return; // nothing follows a FIN
    const piece = partFrom(whole, this.expected);
    if (piece === null) return;
    const fitting = partBefore(piece, sequenceAdd(this.expected, this.window));
    if (fitting.sequence !== this.expected) {
      if (fitting.data.length > 0 || fitting.fin) this.early.keep(fitting);
      return;
    }
    this.takeInOrder(fitting);
    while (!this.closed && !this.peerEnded) {
      const kept = this.early.takeUpTo(this.expected);
      if (kept === null) return;
      const rest = partFrom(kept, this.expected);
      if (rest !== null) this.takeInOrder(rest);
    }
  }

  private takeInOrder({ data, fin }: Piece): void {
    this.expected = sequenceAdd(this.expected, data.length);
    if (fin) {
      this.expected = sequenceAdd(this.expected, 1);
      this.peerEnded = true;
    }
    if (data.length > 0) {
      if (this.paused) {
        this.held.push(data.slice());
        this.heldBytes += data.length;
      } else {
        this.handler.data?.(data);
      }
    }
    if (!fin || this.closed) return;
    if (this.current === "established") this.current = "close-wait";
    else if (this.current === "fin-wait-1") this.current = "closing";
    else if (this.current === "fin-wait-2") this.wait();
    if (this.heldBytes === 0) this.tellEnd();
  }

  private deliverHeld(): void {
    while (!this.paused && !this.closed) {
      const bytes = this.held.shift();
      if (bytes === undefined) break;
      this.heldBytes -= bytes.length;
      this.handler.data?.(bytes);
    }
    if (this.peerEnded && this.heldBytes === 0 && !this.paused && !this.closed) this.tellEnd();
  }

  private tellEnd(): void {
    if (this.endTold) return;
    this.endTold = true;
    if (this.handler.end === undefined) this.end();
    else this.handler.end();
    if (this.current === "time-wait") this.close("finished");
  }

  /** Enters TIME-WAIT: both sides have finished, but late segments are still answered. */
  private wait(): void {
    this.current = "time-wait";
    if (this.endTold) this.close("finished");
    this.link.forget(this);
  }

  private finish(end: TcpEnd): void {
    this.current = "closed";
    this.link.forget(this);
    this.close(end);
  }

  private close(end: TcpEnd): void {
    if (this.closeTold) return;
    this.closeTold = true;
    this.handler.close?.(end);
  }

  private get closed(): boolean {
    return this.current === "closed";
  }

  /** Whether nothing can be sent any longer. */
  private get over(): boolean {
    return this.current === "closed" || this.current === "time-wait";
  }

  /** Number of bytes that the peer may send from `expected` on. */
  private get window(): number {
    return RECEIVE_BYTES - this.heldBytes;
  }

  /** Sends as much as the peer's window and the link allow. */
  private output(): void {
    while (SENDING_STATES.has(this.current) && !this.finSent && this.link.hasRoom) {
      const inFlight = sequenceDistance(this.next, this.oldest);
      const unsent = this.unacknowledged.length - inFlight;
      const allowed = this.peerWindow - inFlight;
      const count = Math.max(Math.min(unsent, this.peerMss, allowed), 0);
      const all = count === unsent;
      const fin = this.ending && all && allowed > count;
      if (count === 0 && !fin) return;
      // Avoids the silly window syndrome: no small segment while data is in flight (RFC 9293, section 3.8.6.2.1).
      if (!all && count < this.peerMss && inFlight > 0) return;
      const sequence = this.next;
      this.next = sequenceAdd(sequence, count + (fin ? 1 : 0));
      this.finSent = fin;
      const flags = ACK | (count > 0 && all ? PSH : 0) | (fin ? FIN : 0);
      this.send(flags, sequence, this.unacknowledged.copy(inFlight, count));
    }
  }

  /** Retransmits the oldest unacknowledged segment. */
  private repeatOldest(): void {
    const data = this.unacknowledged.copy(
      0,
      Math.min(this.peerMss, sequenceDistance(this.next, this.oldest)),
    );
    const fin = this.finSent && data.length === this.unacknowledged.length;
    this.send(ACK | (fin ? FIN : 0), this.oldest, data);
  }

  private sendSyn(): void {
    this.send(this.current === "syn-sent" ? SYN : SYN | ACK, this.initial, NOTHING, OWN_MSS);
  }

  private sendAcknowledgment(): void {
    this.send(ACK, this.next, NOTHING);
  }

  private send(flags: number, sequence: number, data: Uint8Array, mss?: number): void {
    const acknowledges = (flags & ACK) !== 0;
    if (acknowledges) this.acknowledge = false;
    this.link.send({
      source: this.local,
      destination: this.remote,
      sequence,
      acknowledgment: acknowledges ? this.expected : 0,
      flags,
      window: this.window,
      ...(mss === undefined ? {} : { mss }),
      data,
    });
  }
}

/** States in which bytes or a FIN may still have to be sent. */
const SENDING_STATES: ReadonlySet<TcpState> = new Set<TcpState>([
  "established",
  "close-wait",
  "fin-wait-1",
  "closing",
  "last-ack",
]);

/** A segment's data and FIN, after the SYN, which takes a sequence number of its own. */
function textOf({ sequence, flags, data }: TcpSegment): Piece {
  return {
    sequence: (flags & SYN) !== 0 ? sequenceAdd(sequence, 1) : sequence,
    data,
    fin: (flags & FIN) !== 0,
  };
}
