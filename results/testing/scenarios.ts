/** Lifetimes, heaps and source sizes of a synthetic run. */
import { slopeOver } from "../rules/retention.ts";
import {
  type CodeSize,
  type HeapPoint,
  type LifetimeFigures,
  type LifetimeOutcome,
  type LifetimeScenario,
  NO_FAULTS,
  type RetentionRecord,
  type RetentionScenario,
} from "../schema.ts";
import { perArm } from "./effects.ts";

/** In turn: only one form fails, both fail differently, and both are clean although a fault was predicted in one. */
export function lifetimes(): LifetimeScenario[] {
  const asExpected = (figures: LifetimeFigures): LifetimeOutcome => ({
    expected: figures,
    observed: figures,
  });
  return [
    {
      scenario: "unparent under a reader",
      description: "A device is unparented while a reader still holds its flat view.",
      rule: "An embedded region is freed with its device; an owned one lives until its last reference.",
      rounds: 100,
      arms: { A: asExpected({ ...NO_FAULTS, usesAfterFree: 100 }), B: asExpected(NO_FAULTS) },
    },
    {
      scenario: "forgotten unmap",
      description: "A device is finalized with its region still mapped.",
      rule: "A mapped region holds a reference to its owner.",
      rounds: 100,
      arms: {
        A: asExpected({ ...NO_FAULTS, usesAfterFinalize: 100 }),
        B: asExpected({ ...NO_FAULTS, blocksUnfreed: 200, bytesUnfreed: 54_400 }),
      },
    },
    {
      scenario: "re-realize",
      description: "A device is realized, unrealized and realized again.",
      rule: "A region may be initialized once only.",
      rounds: 100,
      arms: {
        A: { expected: NO_FAULTS, observed: NO_FAULTS },
        B: { expected: { ...NO_FAULTS, blocksUnfreed: 100, bytesUnfreed: 27_200 }, observed: NO_FAULTS },
      },
    },
  ];
}

/** Bytes leaked per round in a scenario that leaks on purpose. */
const LEAK = 272;

export function scenario(name: string, processes: number, random: () => number): RetentionScenario {
  const leak = name.startsWith("control") ? LEAK : 0;
  const rounds = 1000;
  const left = Array<number>(processes).fill(leak === 0 ? 0 : rounds);
  const zeros = Array<number>(processes).fill(0);
  const points = (): HeapPoint[] =>
    Array.from({ length: 20 }, (_, i) => ({
      round: 50 * i,
      bytes: Math.round(6.2e6 + 20_000 * random() + 50 * i * leak),
    }));
  return {
    scenario: name,
    description: "A device is plugged into the live machine and unplugged again.",
    rounds,
    arms: perArm(() =>
      withSlope({
        objects: ["MemoryRegion", "GoldfishRtc", "FlatView"].map((className, i) => ({
          className,
          alive: i === 0 ? left : zeros,
        })),
        blocksUnfreed: left,
        modelledLeakedBytes: left.map((count) => count * LEAK),
        usesAfterFinalize: zeros,
        usesAfterFree: zeros,
        heap: Array.from({ length: Math.min(8, processes) }, points),
      }),
    ),
  };
}

function withSlope(record: Omit<RetentionRecord, "slope">): RetentionRecord {
  return { ...record, slope: slopeOver(record.heap) };
}

export function sourceSizes(large: boolean): CodeSize[] {
  const sizes: [device: string, fields: number, lines: number, ownedFields: number, ownedLines: number][] = [
    ["goldfish-rtc", 1, 49, 0, 48],
    ["serial", 1, 301, 1, 301],
    ["pflash", 1, 402, 0, 400],
    ["virt", 3, 512, 2, 511],
  ];
  const more = ["aclint", "plic", "fw-cfg", "virtio-mmio", "virtio-pci", "pcie", "e1000", "i8042"];
  if (large) for (const [i, name] of more.entries()) sizes.push([name, 2, 200 + 10 * i, 1, 199 + 11 * i]);
  return sizes.map(([device, fields, lines, ownedFields, ownedLines]) => ({
    device,
    file: `${device}.ts`,
    embedded: { regionFields: fields, lines },
    owned: { regionFields: ownedFields, lines: ownedLines },
  }));
}
