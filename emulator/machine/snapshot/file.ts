/**
 * The format of a snapshot file:
 *
 *     "regionlab snapshot 2\n"
 *     4 bytes   length of the state
 *     state     JSON: the machine, its parts by name, and the names and sizes of its memories
 *     memories  in the order of their names (see memory-image.ts)
 *     32 bytes  SHA-256 of everything before it
 *
 * Numbers are little-endian. Nothing after the first line is parsed before the checksum has been verified.
 */
import { CommandError, createSha256 } from "#host";
import type { SavedFields } from "#qdev";
import { fillMemory, type MemoryImage, readMemory, saveMemory } from "./memory-image.ts";

const NAME = "regionlab snapshot ";
const MAGIC = `${NAME}2\n`;
const DIGEST_BYTES = 32;

/** Receives bytes in order. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
}

/** Bytes of guest memory by name, in any order. */
export type Memories = ReadonlyMap<string, Uint8Array>;

/** The state, with the sizes of the memories that follow. */
interface Head {
  readonly state: SavedFields;
  readonly memory: Readonly<Record<string, number>>;
}

export function writeSnapshotFile(sink: ByteSink, state: SavedFields, memories: Memories): void {
  const hash = createSha256();
  const write = (bytes: Uint8Array): void => {
    hash.update(bytes);
    sink.write(bytes);
  };
  const names = [...memories.keys()].sort();
  const memory = Object.fromEntries(names.map((name) => [name, memories.get(name)?.length ?? 0]));
  const head = Buffer.from(JSON.stringify({ state, memory } satisfies Head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  write(Buffer.from(MAGIC));
  write(length);
  write(head);
  for (const name of names) saveMemory(memories.get(name) ?? new Uint8Array(), write);
  sink.write(hash.digest());
}

/** A snapshot with a valid checksum. */
export class SnapshotFile {
  readonly state: SavedFields;
  private readonly where: string;
  private readonly memory: Head["memory"];
  private readonly memories: Buffer;

  /** @throws CommandError when `content` is not a snapshot, or incomplete; `where` names option and file. */
  constructor(content: Uint8Array, where: string) {
    const file = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    const magic = file.toString("latin1", 0, MAGIC.length);
    if (magic !== MAGIC) {
      throw new CommandError(
        magic.startsWith(NAME)
          ? `${where}: a snapshot of another version of regionlab; make it again with this one`
          : `${where}: not a snapshot of regionlab; give a file that --snapshot-out wrote`,
      );
    }
    const end = file.length - DIGEST_BYTES;
    const digest = createSha256()
      .update(file.subarray(0, Math.max(end, 0)))
      .digest();
    if (end < MAGIC.length + 4 || !digest.equals(file.subarray(end)))
      throw new CommandError(`${where}: damaged or cut off, its checksum is wrong; make it again`);
    const start = MAGIC.length + 4;
    const stop = start + file.readUInt32LE(MAGIC.length);
    const head = stop <= end ? headOf(file.toString("utf8", start, stop)) : undefined;
    if (head === undefined) throw new CommandError(`${where}: damaged, its header is invalid; make it again`);
    this.where = where;
    this.state = head.state;
    this.memory = head.memory;
    this.memories = file.subarray(stop, end);
  }

  /** Size of a saved memory in bytes; undefined if none has that name. */
  memoryBytes(name: string): number | undefined {
    return this.memory[name];
  }

  /** Why these are not the memories that were saved; undefined if they are. */
  memoryMismatch(memories: Memories): string | undefined {
    for (const [name, bytes] of memories) {
      const saved = this.memory[name];
      if (saved === undefined) return `lacks the memory ${name}`;
      if (saved !== bytes.length)
        return `has ${saved} bytes of the memory ${name}, this machine ${bytes.length}`;
    }
    const unknown = Object.keys(this.memory).find((name) => !memories.has(name));
    return unknown === undefined ? undefined : `has a memory ${unknown} that this machine lacks`;
  }

  /**
   * Reads the memories, which must be those that were saved.
   * @returns a function that fills them and cannot fail
   * @throws CommandError when they are damaged
   */
  readMemories(memories: Memories): () => void {
    let at = 0;
    const images: [Uint8Array, MemoryImage][] = [];
    for (const name of Object.keys(this.memory).sort()) {
      const bytes = memories.get(name) ?? new Uint8Array();
      const image = readMemory(bytes.length, this.memories, at, this.where);
      images.push([bytes, image]);
      at = image.end;
    }
    return () => {
      for (const [bytes, image] of images) fillMemory(bytes, image);
    };
  }
}

/** Parses the head; undefined if it is invalid. */
function headOf(text: string): Head | undefined {
  let head: unknown;
  try {
    head = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { state, memory } = isRecord(head) ? head : {};
  if (!isRecord(state) || !isRecord(memory)) return undefined;
  if (!Object.values(memory).every((bytes) => Number.isSafeInteger(bytes) && Number(bytes) >= 0))
    return undefined;
  return { state: state as SavedFields, memory: memory as Head["memory"] }; // parsed from JSON, and just checked
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
