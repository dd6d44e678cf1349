/** Why a region of a C tree is refused. The value is its name in reports and its heading in docs/qemu.md. */
import type { ReasonText } from "../regions/reasons.ts";

export const Reason = {
  // What the sources do not show
  Unresolved: "unresolved",
  MacroBody: "macro-body",
  OutsideFunction: "outside-function",
  SplitBraces: "split-braces",
  BracketsUnpaired: "brackets-unpaired",
  DeclaredTwice: "declared-twice",
  NotUsed: "not-used",
  NeverInitialised: "never-initialised",
  ValueUse: "value-use",
  NotUnderstood: "not-understood",
  // What forbids the other form
  ContainerOf: "container-of",
  StateCopied: "state-copied",
  RustMirror: "rust-mirror",
  NoCounterpart: "no-counterpart",
  NameNull: "name-null",
  OwnerIsRegion: "owner-is-region",
  InUnion: "in-union",
  LeafUnparented: "leaf-unparented",
  UsedInFinalize: "used-in-finalize",
  UsedAfterUnparent: "used-after-unparent",
  // Order
  InitialisedByHelper: "initialised-by-helper",
  InitialisedAtRunTime: "initialised-at-run-time",
  InitialisedTwice: "initialised-twice",
  InitInExpression: "init-in-expression",
  ConditionalInit: "conditional-init",
  UsedBeforeInit: "used-before-init",
  // Regions allocated by hand
  StorageFreed: "storage-freed",
  BlockOfRegions: "block-of-regions",
  // The way back
  NoStorage: "no-storage",
  PointerReassigned: "pointer-reassigned",
  NotRestored: "not-restored",
} as const;
export type Reason = (typeof Reason)[keyof typeof Reason];

export const reasonTexts: Readonly<Record<Reason, ReasonText>> = {
  [Reason.Unresolved]: {
    what: "an expression of unknown type names a field of this name",
    why: "it may be this region, and would then be missed",
    mend: "declare the variable with its type, or name the field differently",
  },
  [Reason.MacroBody]: {
    what: "the body of a macro uses the field",
    why: "what the macro is given can only be known by preprocessing",
    mend: "turn the macro into an inline function",
  },
  [Reason.OutsideFunction]: {
    what: "the field is used outside any function",
    why: "an initializer cannot follow a pointer",
    mend: "use the field in a function",
  },
  [Reason.SplitBraces]: {
    what: "the brackets of a function that uses it differ between branches of an #if",
    why: "which statements belong together depends on the configuration",
    mend: "give each branch complete statements",
  },
  [Reason.BracketsUnpaired]: {
    what: "a bracket, comment or #if has no other end in a file that may use the region",
    why: "what follows may belong to anything",
    mend: "complete the file, or give each branch of an #if the same brackets",
  },
  [Reason.DeclaredTwice]: {
    what: "a file declares the field or its structure more than once, in branches of an #if",
    why: "which declaration a use means depends on the configuration",
    mend: "declare it once",
  },
  [Reason.NotUsed]: {
    what: "nothing uses the field",
    why: "there is no call to convert; the field is dead",
    mend: "delete the field",
  },
  [Reason.NeverInitialised]: {
    what: "no call that is understood initialises the region",
    why: "there is no call to convert",
    mend: "initialise the field directly, not through another pointer",
  },
  [Reason.ValueUse]: {
    what: "the region is used as a value: sizeof, assignment, or an array that decays to a pointer",
    why: "a pointer in its place would mean something else",
    mend: "take the address of the region or of one element",
  },
  [Reason.NotUnderstood]: {
    what: "a use of the region has a form that is not understood",
    why: "only understood positions are rewritten",
    mend: "write it as a plain statement or argument",
  },
  [Reason.ContainerOf]: {
    what: "container_of, offsetof, a property or a VMState entry names the field",
    why: "the device cannot be computed from a region that is not inside it",
    mend: "reach the device through the opaque pointer or the owner",
  },
  [Reason.StateCopied]: {
    what: "the whole state is cleared or copied",
    why: "that would clear or duplicate the pointer while the region lives on",
    mend: "reset the fields one by one",
  },
  [Reason.RustMirror]: {
    what: "Rust code has a structure of the same layout",
    why: "its size is asserted to be equal",
    mend: "change both structures together, by hand",
  },
  [Reason.NoCounterpart]: {
    what: "the initialising call has no constructor of the other form",
    why: "there is no call to replace it with",
    mend: "add the constructor to the API first",
  },
  [Reason.NameNull]: {
    what: "the region's name is NULL",
    why: "the owner's child property, which is made from the name, alone holds an owned region",
    mend: "give the region a name",
  },
  [Reason.OwnerIsRegion]: {
    what: "the region is its own owner, or owned by another region",
    why: "a region that owns itself is never released",
    mend: "make the device the owner",
  },
  [Reason.InUnion]: {
    what: "the field is a member of a union",
    why: "its storage is also something else",
    mend: "move it out of the union",
  },
  [Reason.LeafUnparented]: {
    what: "a region with contents is unparented while flat views may hold it",
    why: "flat views count on the owner, not on the region: the storage would be freed while RCU readers use it",
    mend: "disable the region instead, or give it an owner of its own",
  },
  [Reason.UsedInFinalize]: {
    what: "the region is used in instance_finalize",
    why: "the owner's children are released before that runs; an owned region's storage is free by then",
    mend: "move the use to unrealize",
  },
  [Reason.UsedAfterUnparent]: {
    what: "a container or alias is unparented, or used after that",
    why: "unparenting frees an owned region, while a flat view may still name it as its root",
    mend: "keep the region, and enable, resize or move it",
  },
  [Reason.InitialisedByHelper]: {
    what: "a function that is given the region initialises it",
    why: "that function would have to return the region, and not all of its callers can change",
    mend: "return the region from the function",
  },
  [Reason.InitialisedAtRunTime]: {
    what: "the region is initialised while the machine runs",
    why: "each run would create another region and keep the former one, or initialise a live one",
    mend: "initialise it once in realize, then enable, resize or move it",
  },
  [Reason.InitialisedTwice]: {
    what: "two calls may initialise the region one after the other",
    why: "the first of two owned regions would stay a child of the device; an embedded one would be initialised while it lives",
    mend: "initialise it once",
  },
  [Reason.InitInExpression]: {
    what: "the region is initialised inside a larger expression",
    why: "only a statement, or a condition of its own, can be rewritten",
    mend: "write the call as a statement",
  },
  [Reason.ConditionalInit]: {
    what: "the region is used where it may not have been initialised",
    why: "zeroed storage was tolerated there, a null pointer is not",
    mend: "test for the region before the use, or initialise it always",
  },
  [Reason.UsedBeforeInit]: {
    what: "the region is used where it may not be initialised yet",
    why: "an embedded region has an address by then, an owned one does not exist",
    mend: "initialise it first",
  },
  [Reason.StorageFreed]: {
    what: "the storage of the region is freed by hand",
    why: "an owned region is freed with its last reference: this would free it twice",
    mend: "remove the call that frees it, together with the conversion",
  },
  [Reason.BlockOfRegions]: {
    what: "one allocation holds several regions",
    why: "each owned region is an allocation of its own",
    mend: "use one pointer for each region",
  },
  [Reason.NotRestored]: {
    what: "the way back would not restore the file byte for byte",
    why: "--reversible converts nothing else",
    mend: "convert it without --reversible",
  },
  [Reason.NoStorage]: {
    what: "no field holds the region",
    why: "an embedded region needs a place in the state of its owner",
    mend: "declare a field and assign the region to it",
  },
  [Reason.PointerReassigned]: {
    what: "the pointer is assigned something that is not a new region, or may be tested for null",
    why: "an embedded region cannot change or be absent",
    mend: "use a second pointer for other regions",
  },
};
