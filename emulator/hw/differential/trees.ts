import { existsSync } from "node:fs";
import type { DeviceTreeModule } from "../testing/rig.ts";

/** A device tree and its name. */
export interface NamedTree {
  readonly name: "embedded" | "owned";
  readonly tree: DeviceTreeModule;
}

/** The device trees that are checked in; both, but while the generated one is being made anew. */
export async function loadTrees(): Promise<NamedTree[]> {
  const names = (["embedded", "owned"] as const).filter((name) =>
    existsSync(new URL(`../${name}/index.ts`, import.meta.url)),
  );
  return Promise.all(names.map(async (name) => ({ name, tree: await import(`../${name}/index.ts`) })));
}
