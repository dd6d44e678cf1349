import type { HeapUsage, Leak } from "#qom";
import type { Emulation, RunEnd } from "./emulation.ts";
import type { RegionStorage } from "./hardware.ts";

/** What `--stats` writes: everything that runs are compared by. */
export interface RunStatistics {
  readonly regions: RegionStorage;
  /** Instructions executed. */
  readonly instructions: number;
  /** Elapsed guest time, in nanoseconds. */
  readonly guestNanoseconds: number;
  readonly consoleBytes: number;
  readonly consoleSha256: string;
  /** Processor accesses that reached the memory core, and a hash over all of them in order. */
  readonly mmioAccesses: number;
  readonly mmioTraceSha256: string;
  /** Host time of each phase, in milliseconds. This is measured; everything else is deterministic. */
  readonly phases: {
    readonly create: number;
    readonly load: number;
    readonly run: number;
    readonly destroy: number;
  };
  /** Modelled heap blocks at the end of the run, and those left after the machine was destroyed. */
  readonly heap: {
    readonly blocksLive: number;
    readonly blocksFreed: number;
    readonly bytesLive: number;
    readonly bytesPeak: number;
    readonly byType: Readonly<
      Record<string, { readonly live: number; readonly freed: number; readonly bytes: number }>
    >;
    readonly blocksLeaked: number;
  };
  readonly end: RunEnd;
  /** Exit code of the guest: 0 unless it reported a failure. */
  readonly exit: number;
}

/** Destroys the machine and returns the statistics of the run. */
export function finishRun(
  emulation: Emulation,
  regions: RegionStorage,
  end: RunEnd,
  runMilliseconds: number,
): RunStatistics {
  const { instructions, console, trace, creation, model } = emulation;
  const guestNanoseconds = emulation.now();
  const atEnd = summarise(model.heap.usage());
  const destroy = emulation.destroy();
  return {
    regions,
    instructions,
    guestNanoseconds,
    consoleBytes: console.bytes,
    consoleSha256: console.sha256(),
    mmioAccesses: trace?.accesses ?? 0,
    mmioTraceSha256: trace?.sha256() ?? "",
    phases: { ...creation, run: runMilliseconds, destroy },
    heap: { ...atEnd, blocksLeaked: model.heap.usage().live },
    end,
    exit: emulation.shutdown?.kind === "fail" ? emulation.shutdown.code : 0,
  };
}

function summarise(usage: HeapUsage): Omit<RunStatistics["heap"], "blocksLeaked"> {
  const byType: Record<string, { live: number; freed: number; bytes: number }> = {};
  for (const [name, { live, freed, liveBytes }] of usage.byType)
    byType[name] = { live, freed, bytes: liveBytes };
  return {
    blocksLive: usage.live,
    blocksFreed: usage.freed,
    bytesLive: usage.liveBytes,
    bytesPeak: usage.peakBytes,
    byType,
  };
}

/** Formats leaked blocks, one line for each type, with the stacks of their allocations if those were recorded. */
export function formatLeaks(leaks: readonly Leak[]): string {
  const lines = leaks.map(({ typeName, blocks, bytes, allocatedAt }) => {
    const stacks = allocatedAt.map((stack) => `\n${stack}`).join("");
    return `${blocks} of ${typeName} never freed, ${bytes} modelled bytes${stacks}`;
  });
  return lines.join("\n");
}
