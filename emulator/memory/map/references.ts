/** Reference policies: on what a reference to a region counts, and what ends references that go round in circles. */

/** The rules of one policy. */
export interface ReferenceRules {
  /** Where users of a region take their references: on its owner, as in QEMU, or on the region itself. */
  readonly countsOn: "owner" | "region";
  /** Whether a container takes no reference on a subregion of its own owner, and may end before it. */
  readonly exemptsSameOwner: boolean;
  /** Whether every region holds a reference to its owner until it has ended. */
  readonly regionHoldsOwner: boolean;
  /** Whether a device takes its regions out of its own containers and unparents them when it is unrealized. */
  readonly unparentsAtUnrealize: boolean;
}

const COUNT_ON_OWNER = {
  countsOn: "owner",
  exemptsSameOwner: false,
  regionHoldsOwner: false,
  unparentsAtUnrealize: false,
} as const satisfies ReferenceRules;

/**
 * - `owner`: QEMU since 10.2. References count on the owner, with the same-owner exemption.
 * - `owner-7.2`: QEMU before 10.2, without that exemption: a region that ends inside a container aborts.
 * - `self`: regions count themselves, as proposed in September 2025. Nothing that uses a region keeps its owner alive.
 * - `owner+unparent`: as `owner-7.2`, and a device unparents its regions when it is unrealized.
 * - `self+unparent`: the same with counts on the region; each region holds its owner until it has ended.
 */
export const referencePolicies = {
  owner: { ...COUNT_ON_OWNER, exemptsSameOwner: true },
  "owner-7.2": COUNT_ON_OWNER,
  self: { ...COUNT_ON_OWNER, countsOn: "region" },
  "owner+unparent": { ...COUNT_ON_OWNER, unparentsAtUnrealize: true },
  "self+unparent": {
    countsOn: "region",
    exemptsSameOwner: false,
    regionHoldsOwner: true,
    unparentsAtUnrealize: true,
  },
} as const satisfies Record<string, ReferenceRules>;

export type ReferencePolicy = keyof typeof referencePolicies;
