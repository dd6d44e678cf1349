import { Argument, type Command, Option } from "commander";
import { CommandError, offering } from "#host";
import {
  addMachineOptions,
  addRunOptions,
  Emulation,
  type MachineArguments,
  machineOptions,
  parseRunOptions,
  type RunArguments,
  requireNoOutputs,
  restoreSnapshotFile,
} from "#machine";
import { formatFlatViews, formatMtree } from "#memory";
import type { DeviceModel } from "#qdev";
import { formatQomTree } from "./qom-tree.ts";
import { formatQtree } from "./qtree.ts";
import { formatRefs, REFS_FORMATS, type RefsFormat } from "./refs.ts";
import { type DebugOptions, gdbPort, runDebugging } from "./run-extension.ts";

const VIEWS = ["mtree", "qom", "qtree", "refs"] as const;

interface TreeOptions extends MachineArguments, RunArguments, DebugOptions {
  readonly flat?: boolean;
  readonly format: RefsFormat;
}

/** Adds `regionlab tree`. */
export function addTreeCommand(program: Command): void {
  const command = program
    .command("tree")
    .description(
      "show a machine as QEMU's info mtree, info qom-tree and info qtree do, or every reference with its holder",
    )
    .addArgument(offering(new Argument("<view>", "what to show"), VIEWS))
    .option("--flat", "with mtree: show the flat views", false)
    .addOption(new Option("--format <format>", "with refs").choices(REFS_FORMATS).default("text"));
  addRunOptions(addMachineOptions(command), false).action(async (view: string, options: TreeOptions) => {
    process.stdout.write(await show(view, options));
  });
  runDebugging.addOptions(command);
}

async function show(view: string, options: TreeOptions): Promise<string> {
  if (!VIEWS.some((each) => each === view))
    throw new CommandError(`tree ${view}: unknown view; give ${VIEWS.join(", ")}`);
  if (options.flat && view !== "mtree")
    throw new CommandError(`--flat: only mtree has flat views; leave it out`);
  if (view !== "refs" && options.format !== "text")
    throw new CommandError(`--format ${options.format}: only refs has it; leave it out`);
  requireNoOutputs("tree", options);
  // What only a run does is not done, but is to mean something.
  parseRunOptions(options);
  gdbPort(options);
  const emulation = new Emulation(await machineOptions(options));
  try {
    if (options.snapshotIn !== undefined) restoreSnapshotFile(emulation, options.snapshotIn);
    return formatted(view, emulation.model, options);
  } finally {
    emulation.destroy();
  }
}

function formatted(view: string, model: DeviceModel, { flat, format }: TreeOptions): string {
  if (view === "qtree") return formatQtree(model);
  if (view === "qom") return formatQomTree(model.resolvePath("/machine"));
  if (view === "refs") return formatRefs(model, format);
  return flat ? formatFlatViews(model) : formatMtree(model);
}
