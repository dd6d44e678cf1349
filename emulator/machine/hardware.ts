import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { importModule } from "#host";
import type { TypeRegistry } from "#qom";

/** How devices hold their regions: embedded in their own state, or owned by the object model. */
export const REGION_FORMS = ["embedded", "owned"] as const;
export type RegionForm = (typeof REGION_FORMS)[number];

/** Where the regions of a machine's devices are: in one of the forms, or each allocated by hand and never freed. */
export const REGION_STORAGES = [...REGION_FORMS, "heap"] as const;
export type RegionStorage = (typeof REGION_STORAGES)[number];

/** The device models in one of the two forms. */
export interface Hardware {
  readonly form: RegionForm;
  registerTypes(registry: TypeRegistry): void;
  /** Most processors of a board. Without it, memory is reserved for as many as requested before the board is asked. */
  readonly mostHarts?: number;
}

/** The device models that come with the package, and what their board has room for. */
export type OwnHardware = Hardware & {
  readonly mostHarts: number;
  readonly flashBanks: number;
};

/**
 * Environment variable with the folders of device trees that take the place of the two, by form, as JSON. Commands that
 * convert devices before they start set it for themselves and for the processes that they start.
 */
export const TREES_VARIABLE = "REGIONLAB_TREES";

/** Where the modules of such a tree find the components, by name. */
export const COMPONENTS = Symbol.for("regionlab.components");

/**
 * Loads the device models in one form. A process that measures loads only one, so that its code stays monomorphic.
 * @throws RangeError when there is no such form.
 */
export async function loadHardware(form: RegionForm): Promise<OwnHardware> {
  if (form !== "embedded" && form !== "owned")
    throw new RangeError(`${form} is not a form of devices; give "embedded" or "owned"`);
  const trees: Partial<Record<RegionForm, string>> = JSON.parse(process.env[TREES_VARIABLE] ?? "{}");
  const folder = trees[form];
  if (folder !== undefined) return loadHardwareFrom(folder, form);
  return hardwareOf(form, form === "embedded" ? await import("#hw/embedded") : await import("#hw/owned"));
}

/** Loads device models from a folder of JavaScript modules that take the components from `COMPONENTS`. */
export async function loadHardwareFrom(folder: string, form: RegionForm): Promise<OwnHardware> {
  const [qom, memory, qdev] = await Promise.all([import("#qom"), import("#memory"), import("#qdev")]);
  Object.assign(globalThis, { [COMPONENTS]: { "#qom": qom, "#memory": memory, "#qdev": qdev } });
  const tree = await importModule(pathToFileURL(join(folder, "index.js")).href);
  return hardwareOf(form, tree as DeviceTree);
}

/** What the index of a device tree exports. */
type DeviceTree = Pick<typeof import("#hw/embedded"), "FLASH_BANKS" | "registerTypes" | "VIRT_MAX_HARTS">;

function hardwareOf(
  form: RegionForm,
  { FLASH_BANKS, registerTypes, VIRT_MAX_HARTS }: DeviceTree,
): OwnHardware {
  return { form, registerTypes, mostHarts: VIRT_MAX_HARTS, flashBanks: FLASH_BANKS.length };
}
