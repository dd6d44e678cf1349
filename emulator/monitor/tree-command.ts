import type { Command } from "commander";
import { Emulation, InputError, loadHardware, parseMachine, parseRegions, parseSize } from "#machine";
import { formatFlatViews, formatMtree } from "#memory";
import { SysBusDevice } from "#qdev";
import { QomAbort, QomError } from "#qom";
import { formatQomTree } from "./qom-tree.ts";
import { formatQtree } from "./qtree.ts";

const VIEWS = ["mtree", "qom", "qtree"] as const;

/** Memory that a device may bring: a flash bank's. */
const DEVICE_MEMORY_BYTES = 33 * 2 ** 20;

interface TreeOptions {
  readonly flat?: boolean;
  readonly regions: string;
  readonly machine: string;
  readonly memory: string;
  readonly device: readonly string[];
}

/** Adds `regionlab tree`. */
export function addTreeCommand(program: Command): void {
  program
    .command("tree")
    .description("show a machine as QEMU's info mtree, info qom-tree and info qtree do")
    .argument("<view>", VIEWS.join(", "))
    .option("--flat", "with mtree: the flat views", false)
    .option("--regions <form>", "device tree: embedded or owned", "embedded")
    .option("-M, --machine <name>", "board", "virt")
    .option("-m, --memory <size>", "RAM: a number with K, M or G", "256M")
    .option("--device <type>", "plug in one more device of this type; may be repeated", collect, [])
    .action(async (view: string, options: TreeOptions) => {
      process.stdout.write(await show(view, options));
    });
}

function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

async function show(view: string, options: TreeOptions): Promise<string> {
  if (!VIEWS.some((each) => each === view))
    throw new InputError(`tree ${view}: unknown view; give ${VIEWS.join(", ")}`);
  if (options.flat && view !== "mtree")
    throw new InputError(`--flat: only mtree has flat views; leave it out`);
  const emulation = new Emulation({
    hardware: await loadHardware(parseRegions(options.regions)),
    machine: parseMachine(options.machine),
    ramBytes: parseSize("-m", options.memory),
    hotplugBytes: options.device.length * DEVICE_MEMORY_BYTES,
  });
  const { model } = emulation;
  for (const [index, type] of options.device.entries()) plugDevice(emulation, type, `device${index}`);
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

function plugDevice({ model }: Emulation, type: string, id: string): void {
  try {
    const device = model.createPeripheral(type, id);
    device.plug(device instanceof SysBusDevice ? model.systemBus : null);
  } catch (error) {
    if (error instanceof QomError || error instanceof QomAbort)
      throw new InputError(`--device ${type}: ${error.message}`);
    throw error;
  }
}
