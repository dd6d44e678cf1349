import type { Command } from "commander";
import { CommandError } from "#host";
import { addMachineOptions, Emulation, type MachineArguments, machineOptions } from "#machine";
import { formatFlatViews, formatMtree } from "#memory";
import { formatQomTree } from "./qom-tree.ts";
import { formatQtree } from "./qtree.ts";

const VIEWS = ["mtree", "qom", "qtree"] as const;

interface TreeOptions extends MachineArguments {
  readonly flat?: boolean;
}

/** Adds `regionlab tree`. */
export function addTreeCommand(program: Command): void {
  const command = program
    .command("tree")
    .description("show a machine as QEMU's info mtree, info qom-tree and info qtree do")
    .argument("<view>", VIEWS.join(", "))
    .option("--flat", "with mtree: show the flat views", false);
  addMachineOptions(command).action(async (view: string, options: TreeOptions) => {
    process.stdout.write(await show(view, options));
  });
}

async function show(view: string, options: TreeOptions): Promise<string> {
  if (!VIEWS.some((each) => each === view))
    throw new CommandError(`tree ${view}: unknown view; give ${VIEWS.join(", ")}`);
  if (options.flat && view !== "mtree")
    throw new CommandError(`--flat: only mtree has flat views; leave it out`);
  const emulation = new Emulation(await machineOptions(options));
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
