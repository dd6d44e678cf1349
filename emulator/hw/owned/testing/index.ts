/** Devices for tests, one or more for each kind of region that no board has. Packages leave them out. */
import type { TypeRegistry } from "#qom";
import { FileMemory } from "./file-memory.ts";
import { GrowingMemory } from "./growing-memory.ts";
import { HostWindow } from "./host-window.ts";
import { LinearIommu } from "./linear-iommu.ts";
import { MemoryCard } from "./memory-card.ts";

export function registerTypes(registry: TypeRegistry): void {
  registry.register(FileMemory, GrowingMemory, HostWindow, LinearIommu, MemoryCard);
}
