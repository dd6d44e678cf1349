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

/** As `loadTrees`; the trees have devices for tests as well. */
export async function loadTestTrees(): Promise<NamedTree[]> {
  const extended = async ({ name, tree }: NamedTree): Promise<NamedTree> => {
    const more: DeviceTreeModule = await import(`../${name}/testing/index.ts`);
    const registerTypes: DeviceTreeModule["registerTypes"] = (registry) => {
      tree.registerTypes(registry);
      more.registerTypes(registry);
    };
    return { name, tree: { registerTypes } };
  };
  return Promise.all((await loadTrees()).map(extended));
}
