import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MemoryRegion } from "#memory";
import type { Claim } from "./claim.ts";

/** The converted devices: sources here, compiled in a package. */
const OWNED = fileURLToPath(new URL("../../emulator/hw/owned", import.meta.url));

export const c09: Claim = {
  id: "C9",
  claim: "No interface without users: each constructor needs a converted device that calls it.",
  by: ["Xu"],
  context: "The first posting had the constructors and nothing that called them.",
  scenarios: [],
  facts: [
    {
      name: "constructors that no converted device of this tree uses",
      rule: "The devices of virt have registers, RAM, ROM and ROM devices; none has an alias, RAM that somebody else allocated or that a host device has, or RAM that changes its size.",
      predicted: "newAlias, newRamDevicePtr, newRamPtr, newResizeableRam",
      observe: async () => {
        const text = sourcesIn(OWNED);
        const unused = constructors().filter((name) => !text.includes(`MemoryRegion.${name}(`));
        return unused.length === 0 ? "none" : unused.join(", ");
      },
      agrees: (observed) => observed === "none",
    },
  ],
};

/** `new…` of a region, each the counterpart of an `init…`. */
export function constructors(): string[] {
  return Object.getOwnPropertyNames(MemoryRegion)
    .filter((name) => name.startsWith("new"))
    .sort();
}

function sourcesIn(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /(?<!\.d)\.[jt]s$/.test(file))
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("\n");
}
