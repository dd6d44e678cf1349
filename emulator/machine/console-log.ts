import {
  type CharBackend,
  type CharDevice,
  type Chardev,
  isFields,
  loadFields,
  type Restore,
  type SavedValue,
  saveFields,
  type VmStateFields,
} from "#qdev";
import { QomError } from "#qom";
import { Sha256 } from "./sha256.ts";

/** Text to type once the guest has printed something. */
export interface ConsoleReply {
  readonly expect: string;
  readonly send: string;
}

/**
 * The host's end of the guest's console: forwards output, hashes it, searches it for texts, and types replies as fast
 * as the device accepts them. Replies depend on output, never on host time, so that runs are deterministic.
 */
export class ConsoleLog implements CharBackend {
  private static readonly vmFields = {
    hash: Sha256.vmFields,
    count: "int",
  } as const satisfies VmStateFields;

  /** Called for each byte the guest prints. */
  onByte: (byte: number) => void = () => {};
  /** Called when the text given to `watchFor` has been printed. */
  onMilestone: () => void = () => {};
  private readonly device: CharDevice;
  private host: Chardev | null = null;
  private readonly hash = new Sha256();
  private readonly chunk = new Uint8Array(4096);
  private filled = 0;
  private milestone: TextMatcher | null = null;
  private readonly replies: { matcher: TextMatcher; send: Uint8Array }[] = [];
  private typing: number[] = [];
  private count = 0;

  constructor(device: CharDevice) {
    this.device = device;
    device.connect(this);
  }

  /** Connects another host end, which receives the output, too, and may type input of its own. */
  leadTo(host: Chardev): void {
    this.host = host;
    host.attach(this.device);
  }

  /** Bytes printed so far. */
  get bytes(): number {
    return this.count;
  }

  /** Watches for a text from now on; `onMilestone` is called each time it is printed. */
  watchFor(text: string): void {
    this.milestone = new TextMatcher(text);
  }

  /** Answers prompts one after another: each is watched for once the previous one has been answered. */
  reply(...replies: ConsoleReply[]): void {
    for (const { expect, send } of replies) {
      this.replies.push({ matcher: new TextMatcher(expect), send: new TextEncoder().encode(send) });
    }
  }

  /** Types bytes; those that the device cannot accept yet are queued. */
  type(bytes: Iterable<number>): void {
    this.typing.push(...bytes);
    this.feed();
  }

  write(byte: number): void {
    this.count++;
    this.chunk[this.filled++] = byte;
    if (this.filled === this.chunk.length) this.flush();
    this.onByte(byte);
    this.host?.write(byte);
    if (this.milestone?.take(byte)) this.onMilestone();
    const [next] = this.replies;
    if (next?.matcher.take(byte)) {
      this.replies.shift();
      this.type(next.send);
    }
  }

  acceptInput(): void {
    this.feed();
    this.host?.acceptInput?.();
  }

  /** SHA-256 of all bytes printed so far, hexadecimal. */
  sha256(): string {
    this.flush();
    return this.hash.hex();
  }

  /** State for a snapshot: the output so far, as count and hash, and queued input, but not what is watched for. */
  save(): SavedValue {
    this.flush();
    return { ...saveFields(this, ConsoleLog.vmFields), typing: [...this.typing] };
  }

  /** @throws QomError when `saved` did not come from `save`. */
  load(saved: SavedValue): Restore[] {
    if (!isFields(saved)) throw new QomError("console has no fields");
    const { typing, ...fields } = saved;
    if (!Array.isArray(typing) || !typing.every((each) => Number.isInteger(each) && each >= 0 && each < 256))
      throw new QomError("console.typing holds what does not fit: expected bytes");
    return [
      ...loadFields(this, ConsoleLog.vmFields, fields, "console"),
      () => {
        this.filled = 0;
        this.typing = [...typing];
      },
    ];
  }

  private flush(): void {
    this.hash.update(this.chunk.subarray(0, this.filled));
    this.filled = 0;
  }

  private feed(): void {
    while (this.typing.length > 0 && this.device.canReceive() > 0)
      this.device.receive(this.typing.shift() as number);
  }
}

/** Finds a text in a stream of bytes, one byte at a time (Knuth-Morris-Pratt). */
export class TextMatcher {
  private readonly text: Uint8Array;
  /** Failure function: at `matched - 1`, the length that is still matched after a mismatch. */
  private readonly fallback: number[] = [0];
  private matched = 0;

  constructor(text: string) {
    this.text = new TextEncoder().encode(text);
    for (let length = 1, shorter = 0; length < this.text.length; length++) {
      while (shorter > 0 && this.text[length] !== this.text[shorter])
        shorter = this.fallback[shorter - 1] as number;
      if (this.text[length] === this.text[shorter]) shorter++;
      this.fallback.push(shorter);
    }
  }

  /** Takes the next byte of the stream. True if it completes the text. */
  take(byte: number): boolean {
    while (this.matched > 0 && this.text[this.matched] !== byte) {
      this.matched = this.fallback[this.matched - 1] as number;
    }
    if (this.text[this.matched] === byte) this.matched++;
    if (this.matched < this.text.length) return false;
    this.matched = this.fallback[this.matched - 1] ?? 0;
    return true;
  }
}
