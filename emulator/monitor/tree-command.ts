import type { Command } from "commander";
import { CommandError } from "#host";
import {
  addHardwareOptions,
  Emulation,
  type HardwareArguments,
  loadHardware,
  parseHardwareOptions,
  parseMachine,
  parseRegions,
  parseSize,
} from "#machine";
import { formatFlatViews, formatMtree } from "#memory";
import { formatQomTree } from "./qom-tree.ts";
import { formatQtree } from "./qtree.ts";

const VIEWS = ["mtree", "qom", "qtree"] as const;

interface TreeOptions extends HardwareArguments {
  readonly flat?: boolean;
  readonly regions: string;
  readonly machine: string;
  readonly memory: string;
}

/** Adds `regionlab tree`. */
export function addTreeCommand(program: Command): void {
  const command = program
    .command("tree")
    .description("show a machine as QEMU's info mtree, info qom-tree and info qtree do")
    .argument("<view>", VIEWS.join(", "))
    .option("--flat", "with mtree: the flat views", false)
    .option("--regions <form>", "device tree: embedded or owned", "embedded")
    .option("-M, --machine <name>", "board", "virt")
    .option("-m, --memory <size>", "RAM: a number with K, M or G", "256M");
  addHardwareOptions(command).action(async (view: string, options: TreeOptions) => {
    process.stdout.write(await show(view, options));
  });
}

async function show(view: string, options: TreeOptions): Promise<string> {
  if (!VIEWS.some((each) => each === view))
    throw new CommandError(`tree ${view}: unknown view; give ${VIEWS.join(", ")}`);
  if (options.flat && view !== "mtree")
    throw new CommandError(`--flat: only mtree has flat views; leave it out`);
  const emulation = new Emulation({
    hardware: await loadHardware(parseRegions(options.regions)),
    machine: parseMachine(options.machine),
    ramBytes: parseSize("-m", options.memory),
    attached: parseHardwareOptions(options),
  });
  const { model } = emulation;
  const text =
    view === "qtree"
      ? formatQtree(model)
      : view === "qom"
        ? formatQomTree(model.resolvePath("/machine"))
        : options.flat
          ? formatFlatViews(model)
          : formatMtree(model);
  emulation.destroy();
  return text;
}
