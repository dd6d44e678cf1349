/** What a generated class is put together from. */
import type { Random } from "../../prove/worker/random.ts";

/** Lines that a feature adds to a class, by place. */
export interface Parts {
  /** Names imported from each component besides the usual ones. */
  readonly memory?: readonly string[];
  readonly qom?: readonly string[];
  readonly qdev?: readonly string[];
  /** Declarations above the class. */
  readonly top?: readonly string[];
  readonly fields?: readonly string[];
  readonly instanceInit?: readonly string[];
  /** In realize before everything else; such lines of all features come first. */
  readonly early?: readonly string[];
  readonly realize?: readonly string[];
  /** In realize after everything else. */
  readonly late?: readonly string[];
  readonly unrealize?: readonly string[];
  readonly reset?: readonly string[];
  readonly finalize?: readonly string[];
  readonly members?: readonly string[];
  /** Entries of the class's `properties`. */
  readonly properties?: readonly string[];
  /** What a board does between plugging and resetting; `dev` is the device. */
  readonly exercise?: readonly string[];
}

/** One way to have a region. */
export interface Feature {
  readonly name: string;
  /** Whether a conversion of it may break the device, so that refusing is right; unset: it is meant to convert. */
  readonly hazard?: true;
  /** `n` is a name that no other feature of the class uses. */
  build(n: string, random: Random): Parts;
}

export const io = (n: string, size = "0x40") => `initIo(this, ops, this, "${n}", ${size})`;
export const embedded = (n: string) => `private readonly ${n} = this.embed(MemoryRegion);`;
export const declare = (n: string) => `this.initMmio(this.${n});`;

/** The embedded form of one I/O window, with everything else given. */
export function window(n: string, more: Parts = {}): Parts {
  return {
    ...more,
    fields: [embedded(n), ...(more.fields ?? [])],
    realize: [`this.${n}.${io(n)};`, declare(n), ...(more.realize ?? [])],
  };
}

export const newIo = (n: string, size = "0x40") => `MemoryRegion.newIo(this, ops, this, "${n}", ${size})`;
export const owned = (n: string) => `private ${n}!: MemoryRegion;`;

/** The owned form of one I/O window with a kept field, with everything else given. */
export function keptWindow(n: string, more: Parts = {}): Parts {
  return {
    ...more,
    fields: [owned(n), ...(more.fields ?? [])],
    realize: [`this.${n} = ${newIo(n)};`, declare(n), ...(more.realize ?? [])],
  };
}
