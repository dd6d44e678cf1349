import type { ts } from "ts-morph";
import type { LifePhase } from "../flow/index.ts";
import type { Elements } from "./elements.ts";
import type { Target } from "./targets.ts";

/** A container that can be told from others: a region of the device, or system memory. */
export type Container = number | "system";

/** What has been seen of one object, wherever in the life. */
export interface Record {
  readonly target: Target;
  readonly creations: {
    readonly node: ts.CallExpression;
    readonly phase: LifePhase;
    readonly shape: string;
  }[];
  /** True once it was passed to something that may show it to the guest. */
  exposed: boolean;
  used: boolean;
  /** Containers of other owners that it was added to. */
  readonly mappings: { readonly node: ts.Node; readonly isSystem: boolean; readonly elements: Elements }[];
  /** Every container that it was added to, as far as these are known, and those that it was removed from. */
  readonly containers: Set<Container | undefined>;
  readonly leaves: { readonly node: ts.Node; readonly container: Container }[];
  readonly removals: ts.Node[];
  /** Removals that may come after another one, without a condition that asks. */
  readonly lateRemovals: ts.Node[];
  /** True if the class adds it to a container while it runs, or removes it. */
  addedAtRunTime: boolean;
  removedAtRunTime: boolean;
  /** Additions that a caller may repeat, without a condition that asks. */
  readonly repeatedAdditions: ts.Node[];
  /** True for a window that `initMmio` declared. */
  isWindow: boolean;
  unparented: boolean;
  /** Unparented, or destroyed, while the device runs, so that it may be created again. */
  unparentedAtRunTime: boolean;
  /** Unmapped, dropped or destroyed while the device is torn down. */
  releasedInTearDown: boolean;
  /** Of an array: the elements that leave their container while the device is torn down. */
  readonly leaving: Elements[];
  /** Dropped or destroyed at any time. */
  released: boolean;
  /** For a region: the owner that it was created with. */
  owner: "device" | "none" | "foreign" | "child" | "region" | "itself" | "unknown";
  /** For an alias: what it shows. For a root: its address spaces. */
  readonly shows: Target[];
  readonly spaces: Target[];
}

export function newRecord(target: Target): Record {
  return {
    target,
    creations: [],
    exposed: false,
    used: false,
    mappings: [],
    containers: new Set(),
    leaves: [],
    removals: [],
    lateRemovals: [],
    addedAtRunTime: false,
    removedAtRunTime: false,
    repeatedAdditions: [],
    isWindow: false,
    unparented: false,
    unparentedAtRunTime: false,
    releasedInTearDown: false,
    leaving: [],
    released: false,
    owner: "unknown",
    shows: [],
    spaces: [],
  };
}
