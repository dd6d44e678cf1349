/**
 * The kinds of lifetime bugs that the audit finds. The value is the rule's name in reports, in SARIF, in baselines, and
 * its heading in docs/codemods.md.
 */
export const Rule = {
  // Storage and ownership
  HandAllocated: "hand-allocated",
  HandConstructed: "hand-constructed",
  CreatedTooEarly: "created-too-early",
  InitOnOwned: "init-on-owned",
  SelfOwner: "self-owner",
  OwnerNone: "owner-none",
  OwnerForeign: "owner-foreign",
  MixedForms: "mixed-forms",
  NeverUsed: "region-never-used",
  // References
  ReferenceKept: "reference-never-dropped",
  ReferenceBorrowed: "borrowed-reference-dropped",
  // Creation
  CreatedAgain: "created-again",
  CreatedAtEachRealize: "created-at-each-realize",
  // The map
  NeverUnmapped: "mapped-never-unmapped",
  ForeignContainer: "foreign-container-never-left",
  DeletedTwice: "deleted-twice",
  AddedTwice: "added-twice",
  WrongContainer: "removed-from-other-container",
  RemovedNeverAdded: "removed-never-added",
  MappedInFailure: "mapped-when-realize-fails",
  KeptInStatic: "kept-in-static",
  SpaceNeverDestroyed: "space-never-destroyed",
  // The end
  LeafUnparented: "leaf-unparented",
  ContainerUnparented: "container-unparented",
  WindowUnparented: "window-unparented",
  RootUnparented: "root-unparented",
  AliasOutlivesTarget: "alias-outlives-target",
  AliasOfUnparented: "alias-of-unparented",
  UsedAfterUnparent: "used-after-unparent",
  UsedAfterUnrealize: "used-after-unrealize",
  TimerNeverCancelled: "timer-never-cancelled",
  UsedInFinalize: "used-in-finalize",
} as const;
export type Rule = (typeof Rule)[keyof typeof Rule];

/**
 * `error`: goes wrong when the code runs. `warning`: works, but wastes or misleads. `note`: true, and of consequence only in
 * the case that the text names; notes do not fail an audit.
 */
export type Level = "error" | "warning" | "note";

export interface RuleText {
  readonly level: Level;
  /** One clause, without a full stop, for the line of a finding. */
  readonly what: string;
  /** What happens if the region is embedded, and if it is owned. */
  readonly embedded: string;
  readonly owned: string;
  /** The rule of the region life cycle that it breaks or follows from. */
  readonly because: string;
  readonly fix: string;
}

const SAME = "The same.";

export const ruleTexts: Readonly<Record<Rule, RuleText>> = {
  [Rule.HandAllocated]: {
    level: "error",
    what: "the region's storage is allocated by hand and never freed",
    embedded:
      "Initialising storage in place clears its free callback. The region is finalized with its owner, but its 272 bytes leak, once per device and once more per realize.",
    owned:
      "With `new…` QOM allocates the storage and frees it with the region: this is what the owned form is for.",
    because:
      "Initialisation erases the free callback; only an object that QOM allocated itself frees its storage.",
    fix: "create it with `MemoryRegion.new…`, or declare it with `embed`; otherwise free its block in instanceFinalize",
  },
  [Rule.HandConstructed]: {
    level: "error",
    what: "the region is constructed by hand in storage that has no room for it",
    embedded:
      "Only `embed` makes room in the device's block, and only while the device is constructed. In C this region would lie past the end of the allocation; here nothing accounts for it, and each realize may make another.",
    owned: "`new…` allocates storage of its own.",
    because:
      "An embedded object is part of its parent's instance size; an allocated one has a block and a free callback.",
    fix: "declare it with `this.embed(MemoryRegion)`, or create it with `MemoryRegion.new…`",
  },
  [Rule.CreatedTooEarly]: {
    level: "error",
    what: "the region is created before its owner is initialised",
    embedded:
      "Constructors run before the object model initialises the device, which resets its table of children: the region is no longer in it, and is never finalized.",
    owned: "The same, and its storage leaks.",
    because: "Initialisation zeroes the object and builds its property table; only then runs instanceInit.",
    fix: "create it in instanceInit or realize",
  },
  [Rule.InitOnOwned]: {
    level: "error",
    what: "`init…` is called on a region that QOM allocated",
    embedded: "Does not apply: embedded storage is what `init…` is for.",
    owned:
      "Initialising it again clears its free callback and its parent: its storage is never freed, and the owner's property, which counts on the old reference, aborts when it is released.",
    because: "Initialising storage that came from object_new erases its free callback.",
    fix: "use the region as `new…` returned it",
  },
  [Rule.SelfOwner]: {
    level: "error",
    what: "the region is its own owner",
    embedded:
      "Its child property refers to it from within, so that it is never finalized; references to it are counted on itself, and no longer keep the device's storage.",
    owned: "It keeps itself alive for ever and leaks.",
    because:
      "The owner holds the only reference to a region, and references to a region are counted on the owner.",
    fix: "pass the device as the owner",
  },
  [Rule.OwnerNone]: {
    level: "error",
    what: "a region of a device has no owner",
    embedded:
      "It becomes a child of /machine/unattached and is never finalized, but its storage goes with the device: the next access or change of the map uses freed memory.",
    owned:
      "It is a child of /machine/unattached and never freed: one leaks with each device, and its callbacks go on being called with a device that is gone.",
    because: "A region without an owner is immortal, and no references are counted for it.",
    fix: "pass the device as the owner; only a machine, which is never removed, may leave it out",
  },
  [Rule.OwnerForeign]: {
    level: "error",
    what: "the owner of the region is another object than the one that it belongs to",
    embedded:
      "References to the region keep the other object, not the storage that it lies in. When the device goes first, the other object is left with a child in freed memory.",
    owned:
      "The region lives as long as the other object. After the device has gone, its callbacks are called with a device that was freed.",
    because: "References to a region are counted on its owner, and the owner's property holds the region.",
    fix: "make the device whose state the region shows its owner",
  },
  [Rule.MixedForms]: {
    level: "warning",
    what: "the class has both embedded and owned regions",
    embedded: "An embedded region's storage goes after instanceFinalize, with the device.",
    owned: "An owned region is freed before instanceFinalize. Code for one form is wrong for the other.",
    because:
      "Owned storage is released with the property, before the owner's finalizers; embedded storage after them.",
    fix: "use one form in a class; `regionlab codemod` converts the rest",
  },
  [Rule.NeverUsed]: {
    level: "warning",
    what: "the region is never mapped, declared or read",
    embedded: "Its 272 bytes are part of every device, to no effect.",
    owned: "One is allocated for every device, to no effect.",
    because: "A region that is in no container and no address space is out of the guest's reach.",
    fix: "map it or delete it",
  },
  [Rule.ReferenceKept]: {
    level: "error",
    what: "a reference is taken and never given back",
    embedded:
      "The object that the reference counts on is never finalized, and the storage of all that it embeds leaks.",
    owned: "The object is never finalized, and holds its regions for ever.",
    because:
      "An object is finalized when its last reference is dropped. A region's references are its owner's.",
    fix: "give it back: `unref` for `ref` and `create`, `dropRef` for `takeRef`, `unmap` for `map`",
  },
  [Rule.ReferenceBorrowed]: {
    level: "error",
    what: "a reference is dropped that was never taken",
    embedded:
      "The owner's property holds the only reference. Dropping it finalizes the region while it is still a child and perhaps mapped; releasing the property then aborts.",
    owned:
      "The result of `new…` is borrowed. Dropping it frees the region while it is still a child and perhaps mapped.",
    because: "A new region has one reference, which the owner's child property holds.",
    fix: "leave the region to its owner, or unparent it",
  },
  [Rule.CreatedAgain]: {
    level: "error",
    what: "the region is created again while the earlier one stands",
    embedded:
      "Initialising a live region forgets its parent, its container and its references: the owner's old property points to storage that is now something else, and aborts when it is released.",
    owned:
      "The earlier region stays a child of the device, and where it was mapped, until the device goes; the field that led to it now leads to the new one.",
    because:
      "Initialisation resets the storage, even if it holds a live object; a second child of the same name gets the next index.",
    fix: "create it once and move, resize or disable it; or remove and unparent the earlier one first (alias or container only)",
  },
  [Rule.CreatedAtEachRealize]: {
    level: "note",
    what: "each realize creates the region again, and nothing releases the one before",
    embedded: "Not reported in this form: the storage is one and the same.",
    owned:
      "A device that is unrealized and realized again has one more region each time, of which only the latest is in the field. All of them stay its children until it goes.",
    because:
      "realize may repeat after unrealize; regions of the earlier one stay children until the device goes.",
    fix: "create it in instanceInit, or only if the field is empty",
  },
  [Rule.NeverUnmapped]: {
    level: "error",
    what: "the region is mapped into system memory and never removed",
    embedded:
      "System memory holds a reference to the device: after it is unplugged it is never finalized, and the guest goes on reaching it.",
    owned: SAME,
    because:
      "A container takes a reference to the owner of a subregion with another owner, until the subregion is removed.",
    fix: "call `delSubregion` in unrealize (`unmapMmio` for a window that `mapMmio` mapped)",
  },
  [Rule.ForeignContainer]: {
    level: "error",
    what: "the region is added to another object's container and never leaves it",
    embedded:
      "The container holds a reference to the device, which is never finalized after it is unplugged.",
    owned: SAME,
    because:
      "A container takes a reference to the owner of a subregion with another owner, until the subregion is removed.",
    fix: "call `delSubregion` on the same container in unrealize",
  },
  [Rule.DeletedTwice]: {
    level: "error",
    what: "the region is removed from a container that it has already left",
    embedded: "The memory core aborts: the region is not in the container.",
    owned: SAME,
    because: "delSubregion asserts that the container is the region's own.",
    fix: "remove it once; ask `mapped` where it may be in or out",
  },
  [Rule.AddedTwice]: {
    level: "error",
    what: "the region is added to a container while it is in one",
    embedded: "The memory core aborts: a region is in one container at a time.",
    owned: SAME,
    because: "addSubregion asserts that the region has no container.",
    fix: "ask `mapped` first, or remove it before it is added again",
  },
  [Rule.WrongContainer]: {
    level: "error",
    what: "the region is removed from another container than the one that it was added to",
    embedded: "The memory core aborts, and the region stays where it was added.",
    owned: SAME,
    because: "delSubregion asserts that the container is the region's own.",
    fix: "call `delSubregion` on the container that `addSubregion` was called on",
  },
  [Rule.RemovedNeverAdded]: {
    level: "error",
    what: "onUnparent removes a region that a device which was never realized has not added",
    embedded: "The memory core aborts: the region is not in the container, or was never initialised.",
    owned: "The same, or the field has no region yet.",
    because: "onUnparent also runs when a device that was never plugged goes, and when realize has failed.",
    fix: "do it in unrealize, or ask `mapped` first",
  },
  [Rule.MappedInFailure]: {
    level: "error",
    what: "realize fails after it has mapped the region",
    embedded:
      "unrealize does not run for a device whose realize failed. The container keeps its reference to the device, which is never finalized, and the guest reaches a device that does not work.",
    owned: SAME,
    because:
      "A container takes a reference to the owner of a subregion with another owner, until the subregion is removed.",
    fix: "check first and map last, or remove it before the exception leaves realize",
  },
  [Rule.KeptInStatic]: {
    level: "error",
    what: "a list or variable that outlives the device keeps the region, and nothing takes it out",
    embedded: "Whoever reads it later uses a finalized region in freed storage.",
    owned: "Whoever reads it later uses a freed region.",
    because: "The owner's property holds the only reference to a region; a list or variable holds none.",
    fix: "take it out in unrealize",
  },
  [Rule.SpaceNeverDestroyed]: {
    level: "error",
    what: "the address space is never destroyed",
    embedded:
      "It holds a reference to the owner of its root. If that is the device itself, the device keeps itself alive: it is never finalized after it is unplugged.",
    owned: "The same; the root region stays with it.",
    because: "An address space refers to its root's owner until the deferred part of destroy has run.",
    fix: "call `destroy` in unrealize",
  },
  [Rule.LeafUnparented]: {
    level: "error",
    what: "a region that answers accesses is unparented while a flat view may show it",
    embedded:
      "Flat views count on the owner, not on the region: until readers are done they go on reading a finalized object, whose storage the device still has.",
    owned: "The region is freed at once, and the flat view that still shows it reads freed memory.",
    because:
      "Flat views hold a reference to the region's owner only; the region itself goes with its child property.",
    fix: "remove it with `delSubregion` or disable it, and leave the rest to the owner",
  },
  [Rule.ContainerUnparented]: {
    level: "error",
    what: "the container or alias is unparented while another object's container may hold it",
    embedded:
      "The memory core aborts: the region is finalized inside a container of another owner. A declared window may be in system memory at any time.",
    owned: SAME,
    because:
      "A region that is finalized must not be in a container of another owner; nothing detaches it on unrealize.",
    fix: "call `delSubregion` first (`unmapAll` for windows), or leave the region to its owner",
  },
  [Rule.WindowUnparented]: {
    level: "note",
    what: "unrealize unparents a window that the board may have mapped",
    embedded:
      "In order if the board unmaps the window before it unplugs the device, as it must. Otherwise the memory core aborts: the window is finalized inside system memory.",
    owned: "The same; and `mmioRegion` goes on handing out the freed window.",
    because: "Unplugging does not unmap: whoever mapped a window must unmap it.",
    fix: "call `unmapAll` first, or leave the window to its owner",
  },
  [Rule.RootUnparented]: {
    level: "error",
    what: "the root of an address space is unparented before a grace period has passed",
    embedded:
      "The old flat view reads its root's owner when it is destroyed: a finalized region that still has storage.",
    owned: "The old flat view reads its root's owner when it is destroyed, from freed memory.",
    because: "Destroying an address space or a flat view is deferred by RCU, and refers to the root region.",
    fix: "leave the root to its owner, or unparent it in an RCU callback",
  },
  [Rule.AliasOutlivesTarget]: {
    level: "error",
    what: "the alias may stand when its target has gone",
    embedded:
      "An alias takes no reference to its target. The next change of the map walks through it to a finalized region, and to freed storage once the target's object is gone.",
    owned: "The same; the target's storage goes at once.",
    because:
      "An alias takes no reference to its target: the target must outlive it, as it does with the same owner.",
    fix: "unparent the alias before the target, and give both one owner",
  },
  [Rule.AliasOfUnparented]: {
    level: "error",
    what: "the alias is made for a region that was unparented",
    embedded: "Every change of the map walks through the alias to a finalized region.",
    owned: "Every change of the map walks through the alias to freed storage.",
    because: "Unparenting drops the only reference, and an alias takes none.",
    fix: "unparent the target after the alias, or leave both to their owner",
  },
  [Rule.UsedAfterUnparent]: {
    level: "error",
    what: "the region is used after it was unparented",
    embedded: "A use after finalization: the storage is still there, the region is not.",
    owned: "A use after free.",
    because: "Unparenting drops the only reference, which finalizes the region at once.",
    fix: "make unparenting the last thing that is done with it, and clear the field",
  },
  [Rule.UsedAfterUnrealize]: {
    level: "error",
    what: "code that may run after unrealize uses a region that unrealize has unparented",
    embedded:
      "A use after finalization, by a timer, a reset or another object that still refers to the device.",
    owned: "A use after free.",
    because:
      "An unrealized device lives on until its last reference is dropped: flat views, RCU callbacks, its bus.",
    fix: "clear the field in unrealize and test it, or leave the region to its owner",
  },
  [Rule.TimerNeverCancelled]: {
    level: "note",
    what: "a timer uses the region, and unrealize does not cancel it",
    embedded: "If it is still set when the device goes, it fires on a device and a region that were freed.",
    owned: SAME,
    because: "A timer belongs to the clock, and holds no reference to the device.",
    fix: "cancel the timer in unrealize",
  },
  [Rule.UsedInFinalize]: {
    level: "error",
    what: "instanceFinalize uses a region that has already been released",
    embedded:
      "A use after finalization: the region is finalized, its name is gone, only its storage is left.",
    owned: "A use after free.",
    because: "An object's children are released before its finalizers run.",
    fix: "do it in unrealize; unparenting or removing regions in instanceFinalize never had an effect",
  },
};
