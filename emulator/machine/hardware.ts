import type { TypeRegistry } from "#qom";

/** How devices hold their regions: embedded in their own state, or owned by the object model. */
export const REGION_FORMS = ["embedded", "owned"] as const;
export type RegionForm = (typeof REGION_FORMS)[number];

/** The device models in one of the two forms. */
export interface Hardware {
  readonly form: RegionForm;
  registerTypes(registry: TypeRegistry): void;
}

/** The device models that come with the package. */
export interface OwnHardware extends Hardware {
  /** Processors that the board has room for. */
  readonly mostHarts: number;
  readonly flashBanks: number;
}

/** Loads the device models in one form. A process that measures loads only one, so that its code stays monomorphic. */
export async function loadHardware(form: RegionForm): Promise<OwnHardware> {
  const { FLASH_BANKS, registerTypes, VIRT_MAX_HARTS } =
    form === "embedded" ? await import("#hw/embedded") : await import("#hw/owned");
  return { form, registerTypes, mostHarts: VIRT_MAX_HARTS, flashBanks: FLASH_BANKS.length };
}
