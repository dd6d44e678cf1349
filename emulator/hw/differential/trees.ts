import { existsSync } from "node:fs";
import type { DeviceTreeModule } from "../testing/rig.ts";

/** A tree of devices and its name. */
export interface NamedTree {
  readonly name: "embedded" | "owned";
  readonly tree: DeviceTreeModule;
}

/** The trees of devices in the repository: both, except while the generated one is being regenerated. */
export async function loadTrees(): Promise<NamedTree[]> {
  const names = (["embedded", "owned"] as const).filter((name) =>
    existsSync(new URL(`../${name}/index.ts`, import.meta.url)),
  );
  return Promise.all(names.map(async (name) => ({ name, tree: await import(`../${name}/index.ts`) })));
}
