import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { IommuMemoryRegion, MemoryRegion } from "#memory";
import type { Claim } from "./claim.ts";

/** The converted devices: sources here, compiled in a package. */
const OWNED = fileURLToPath(new URL("../../emulator/hw/owned", import.meta.url));
const TEST_DEVICES = join(OWNED, "testing");

export const c09: Claim = {
  id: "C9",
  claim: "No interface without users: each constructor needs a converted device that calls it.",
  by: ["Xu"],
  context: "The first posting had the constructors and nothing that called them.",
  scenarios: [],
  facts: existsSync(TEST_DEVICES)
    ? [
        {
          name: "constructors that no converted device of this tree uses",
          rule: "Besides virt's devices, with registers, RAM, ROM and ROM devices, there is one for each other kind of region, and for RAM, ROM and ROM devices without an identity; the test of this row names each constructor's users.",
          predicted: "none",
          observe: async () => {
            const text = sourcesIn(OWNED);
            const unused = constructors().filter((name) => !new RegExp(`\\w\\.${name}\\(`).test(text));
            return unused.length === 0 ? "none" : unused.join(", ");
          },
          agrees: (observed) => observed === "none",
        },
      ]
    : [],
  notes: [
    "As long as only virt's devices were there, four constructors had no user, as predicted: newAlias, newRamDevicePtr, newRamPtr, newResizeableRam. The devices that use them now are for tests; no board has them.",
  ],
  ...(existsSync(TEST_DEVICES)
    ? {}
    : {
        decidedElsewhere: "Needs the devices for tests, which the npm package leaves out: run it in a clone.",
      }),
};

/** `new…` of a region, each the counterpart of an `init…`. */
export function constructors(): string[] {
  return [MemoryRegion, IommuMemoryRegion]
    .flatMap((type) => Object.getOwnPropertyNames(type))
    .filter((name) => /^new([A-Z]|$)/.test(name))
    .sort();
}

function sourcesIn(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /(?<!\.d)\.[jt]s$/.test(file))
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("\n");
}
