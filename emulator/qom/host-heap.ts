import { QomAbort } from "./errors.ts";

/** One allocation of the modelled C heap. A block holds an object and everything embedded in it. */
export class Block {
  /** Type that the block was allocated for. */
  readonly typeName: string;
  /** Modelled bytes: the size of the C structure, including everything embedded in it. */
  bytes: number;
  /** The objects stored here, the allocated one first. */
  readonly tenants: object[] = [];
  /** Whether everything in the block has been constructed, so that it cannot grow any more. */
  sealed = false;
  freed = false;
  /** Called when the block is freed, for what lies in it but is no object. */
  onFreed: (() => void)[] | null = null;
  /** Allocation stack, if the heap records stacks. */
  readonly allocatedAt: string | undefined;

  constructor(typeName: string, bytes: number, allocatedAt: string | undefined) {
    this.typeName = typeName;
    this.bytes = bytes;
    this.allocatedAt = allocatedAt;
  }
}

/** Usage by one type: numbers of blocks, and modelled bytes. */
export interface TypeUsage {
  allocated: number;
  freed: number;
  live: number;
  peak: number;
  liveBytes: number;
}

export interface HeapUsage {
  readonly allocated: number;
  readonly freed: number;
  readonly live: number;
  readonly liveBytes: number;
  readonly peakBytes: number;
  readonly byType: ReadonlyMap<string, Readonly<TypeUsage>>;
}

/** One line of a leak report: the blocks of one type that were never freed. */
export interface Leak {
  readonly typeName: string;
  readonly blocks: number;
  readonly bytes: number;
  /** Distinct allocation stacks, if the heap records them. */
  readonly allocatedAt: readonly string[];
}

/**
 * The ledger of the modelled C heap, one per machine.
 *
 * JavaScript has no `free`. The ledger keeps a strong reference to every block until it is freed, and a block to its
 * objects: whatever C would leak, V8 really retains.
 */
export class HostHeap {
  private readonly blocks = new Set<Block>();
  private readonly byType = new Map<string, TypeUsage>();
  private readonly recordStacks: boolean;
  private allocatedBlocks = 0;
  private liveBytes = 0;
  private peakBytes = 0;

  /** @param recordStacks record the allocation stack of every block (slow; for leak reports). */
  constructor(recordStacks = false) {
    this.recordStacks = recordStacks;
  }

  allocate(typeName: string, bytes: number): Block {
    const block = new Block(typeName, 0, this.recordStacks ? callerStack() : undefined);
    this.blocks.add(block);
    this.allocatedBlocks++;
    const usage = this.usageOf(typeName);
    usage.allocated++;
    usage.live++;
    usage.peak = Math.max(usage.peak, usage.live);
    this.extend(block, bytes);
    return block;
  }

  /** Adds the bytes of an object embedded in an existing block. */
  extend(block: Block, bytes: number): void {
    block.bytes += bytes;
    this.usageOf(block.typeName).liveBytes += bytes;
    this.liveBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
  }

  /** @throws QomAbort on a double free. */
  free(block: Block): void {
    if (!this.blocks.delete(block)) throw new QomAbort(`double free of a ${block.typeName} block`);
    block.freed = true;
    const usage = this.usageOf(block.typeName);
    usage.freed++;
    usage.live--;
    usage.liveBytes -= block.bytes;
    this.liveBytes -= block.bytes;
  }

  usage(): HeapUsage {
    return {
      allocated: this.allocatedBlocks,
      freed: this.allocatedBlocks - this.blocks.size,
      live: this.blocks.size,
      liveBytes: this.liveBytes,
      peakBytes: this.peakBytes,
      byType: this.byType,
    };
  }

  /** What is still allocated, in order of allocation. */
  live(): IterableIterator<Block> {
    return this.blocks.values();
  }

  /** What is still allocated, by type, most bytes first: at the end of a machine, its leaks. */
  leaks(): Leak[] {
    const found = new Map<string, { blocks: number; bytes: number; stacks: Set<string> }>();
    for (const block of this.blocks) {
      const leak = found.get(block.typeName) ?? { blocks: 0, bytes: 0, stacks: new Set<string>() };
      leak.blocks++;
      leak.bytes += block.bytes;
      if (block.allocatedAt !== undefined) leak.stacks.add(block.allocatedAt);
      found.set(block.typeName, leak);
    }
    return [...found]
      .map(([typeName, { blocks, bytes, stacks }]) => ({ typeName, blocks, bytes, allocatedAt: [...stacks] }))
      .sort((a, b) => b.bytes - a.bytes);
  }

  private usageOf(typeName: string): TypeUsage {
    let usage = this.byType.get(typeName);
    if (usage === undefined) {
      usage = { allocated: 0, freed: 0, live: 0, peak: 0, liveBytes: 0 };
      this.byType.set(typeName, usage);
    }
    return usage;
  }
}

/** The stack trace, starting at the caller's caller. */
export function callerStack(): string {
  return (new Error().stack ?? "").split("\n").slice(3).join("\n");
}
