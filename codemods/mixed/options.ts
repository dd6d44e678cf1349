/** Options of commands that run devices: which of them are converted before that. */
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { MixedTree, Mixture, Selection, TreeMixer } from "./convert.ts";

const FORMS = ["embedded", "owned"] as const;
/** Read by `loadHardware` of the machine, in this process and in those that it starts. */
const TREES_VARIABLE = "REGIONLAB_TREES";

/** The options as commander collects them. */
export interface MixOptions {
  readonly children: (typeof FORMS)[number];
  readonly convert?: string;
  readonly share?: number;
}

/** Adds `--children`, `--convert` and `--share` to a command that has `--regions` and runs a machine. */
export function addMixOptions(command: Command): void {
  command
    .addOption(
      new Option("--children <form>", "how devices hold their child objects")
        .choices(FORMS)
        .default("embedded"),
    )
    .option("--convert <pattern>", "convert the regions of the device files that match, as 'virtio/*'")
    .addOption(
      new Option("--share <percent>", "convert the regions of the first so many percent of the device files")
        .argParser(readShare)
        .conflicts("convert"),
    )
    .hook("preAction", async (_command, called) => {
      const { regions, children, convert, share } = called.opts<MixOptions & { regions: string }>();
      const form = FORMS.find((each) => each === regions);
      const selection = selectionOf(convert, share);
      if (form === undefined || (children === "embedded" && selection === undefined)) return;
      await useTree(form, { selection, ownedChildren: children === "owned" });
    });
}

function selectionOf(pattern: string | undefined, share: number | undefined): Selection | undefined {
  if (pattern !== undefined) return { pattern };
  return share === undefined ? undefined : { share };
}

function readShare(text: string): number {
  const share = Number(text);
  if (/^\d+(?:\.\d+)?$/.test(text) && share <= 100) return share;
  throw new InvalidArgumentError("give a number from 0 to 100, in percent");
}

/** Has this process and those that it starts run devices that are converted first. Throws like `TreeMixer`. */
export async function useTree(regions: (typeof FORMS)[number], mixture: Mixture): Promise<void> {
  use({ [regions]: (await mixerOf(regions)).runnable(mixture).folder });
}

async function mixerOf(regions: (typeof FORMS)[number]): Promise<TreeMixer> {
  const [{ TreeMixer }, { projectRoot }] = await Promise.all([
    import("./convert.ts"),
    import("../project-root.ts"),
  ]);
  return new TreeMixer(join(projectRoot(), "emulator/hw", regions), regions);
}

/** What a benchmark compares: the embedded tree as it is, as arm `embedded`, and with some files converted, as `owned`. */
export async function useTreesToCompare(pattern: string): Promise<MixedTree> {
  const mixer = await mixerOf("embedded");
  const mixed = mixer.runnable({ selection: { pattern } });
  // Both arms load modules from a folder, so that they differ in the devices only.
  use({ embedded: mixer.runnable({}).folder, owned: mixed.folder });
  return mixed;
}

function use(folders: Readonly<Record<string, string>>): void {
  process.env[TREES_VARIABLE] = JSON.stringify(folders);
}
