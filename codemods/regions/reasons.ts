/** Why a region is refused. The value is the reason's name in JSON reports and its heading in docs/codemods.md. */
export const Reason = {
  // What is declared
  TypeUnresolved: "type-unresolved",
  NotQomObject: "not-qom-object",
  StaticField: "static-field",
  HashPrivate: "hash-private",
  FieldForm: "field-form",
  NullableField: "nullable-field",
  ArrayShape: "array-shape",
  NameTaken: "name-taken",
  // How the region is created
  NeverCreated: "never-created",
  NeverUsed: "never-used",
  NoCounterpart: "no-counterpart",
  NameMissing: "name-missing",
  OwnerIsRegion: "owner-is-region",
  CreatedTwice: "created-twice",
  CreatedConditionally: "created-conditionally",
  CreatedInLoop: "created-in-loop",
  CreatedInClosure: "created-in-closure",
  CreatedByHelper: "created-by-helper",
  CreatedElsewhere: "created-elsewhere",
  CreatedThroughAlias: "created-through-alias",
  CreatedInExpression: "created-in-expression",
  LocalReassigned: "local-reassigned",
  // How it is used
  UsedBeforeCreation: "used-before-creation",
  LeakedBeforeCreation: "leaked-before-creation",
  UsedAfterFailure: "used-after-failure",
  UsedAfterRelease: "used-after-release",
  LeafUnparented: "leaf-unparented",
  ContainerUnparented: "container-unparented",
  Reassigned: "reassigned",
  ComputedAccess: "computed-access",
  Destructured: "destructured",
  OwnerSpread: "owner-spread",
  Deleted: "deleted",
  IdentityCompared: "identity-compared",
  ThisRebound: "this-rebound",
  // The class
  ClassRefused: "class-refused",
} as const;
export type Reason = (typeof Reason)[keyof typeof Reason];

/** One line each: what was found, why that stops the conversion, what to do about it. */
export interface ReasonText {
  readonly what: string;
  readonly why: string;
  readonly mend: string;
}

export const reasonTexts: Readonly<Record<Reason, ReasonText>> = {
  [Reason.TypeUnresolved]: {
    what: "the type of the region cannot be resolved",
    why: "without it nothing tells a memory region from another child",
    mend: "make the import resolve, then run again",
  },
  [Reason.NotQomObject]: {
    what: "the region is held by something that is no QOM object",
    why: "only a QOM object can be the parent that keeps an owned region alive",
    mend: "move the region into the device that owns it",
  },
  [Reason.StaticField]: {
    what: "the region field is static",
    why: "one region for all objects of the class has no owner to live and die with",
    mend: "make it a field of the object",
  },
  [Reason.HashPrivate]: {
    what: "the region field is #private",
    why: "its owned form would need a name that other forms of the field cannot have",
    mend: "declare it `private readonly`",
  },
  [Reason.FieldForm]: {
    what: "the region field is declared in a form that is not understood",
    why: "decorators, accessors, optional fields and shared lines have no counterpart",
    mend: "declare it `private readonly name = this.embed(MemoryRegion);` on lines of its own",
  },
  [Reason.NullableField]: {
    what: "the field may hold no region",
    why: "an embedded region always exists, so the tests for null would change their meaning",
    mend: "leave it owned, or create the region once and use setEnabled",
  },
  [Reason.ArrayShape]: {
    what: "the array of regions is not created by one plain loop",
    why: "the loop's bound and names must be told from the text in both forms",
    mend: "create them in `for (const [index, window] of this.windows.entries())`, with a constant count",
  },
  [Reason.NameTaken]: {
    what: "the class already has a member of the region's name",
    why: "the local would become a field of the same name",
    mend: "rename the local",
  },
  [Reason.NeverCreated]: {
    what: "no call creates the region",
    why: "the owned form has nothing to assign",
    mend: "delete the field, or initialise it in the class that declares it",
  },
  [Reason.NeverUsed]: {
    what: "nothing uses the region after its creation",
    why: "its owned form would be a variable that nobody reads, which the compiler rejects",
    mend: "map the region, or delete it",
  },
  [Reason.NoCounterpart]: {
    what: "the region's class has no constructor of the other form",
    why: "there is no call to put in its place",
    mend: "add the missing constructor to the region's class",
  },
  [Reason.NameMissing]: {
    what: "the region's name is or may be null or undefined",
    why: "the owner's child property, made from the name, is all that holds an owned region",
    mend: "give it a name",
  },
  [Reason.OwnerIsRegion]: {
    what: "the owner is a region",
    why: "a region that owns itself is never released, and one that another region owns dies with that",
    mend: "make the device the owner",
  },
  [Reason.CreatedTwice]: {
    what: "the region is created more than once",
    why: "the first of two owned regions would stay a child of the device for ever",
    mend: "create it once, or use two fields",
  },
  [Reason.CreatedConditionally]: {
    what: "the region is used where it may not have been created",
    why: "embedded it is there all the same, uninitialised; owned there is nothing",
    mend: "create it on every way, or use it under an `if` with the same condition only",
  },
  [Reason.CreatedInLoop]: {
    what: "the region is created in a loop",
    why: "every round would make another owned region",
    mend: "use embedArray, or create it outside the loop",
  },
  [Reason.CreatedInClosure]: {
    what: "the region is created in a nested function",
    why: "nothing tells when, or how often, that function runs",
    mend: "create it in the method itself",
  },
  [Reason.CreatedByHelper]: {
    what: "the region is passed to a function that initialises it",
    why: "the owned form needs a function that returns the region: another signature, for all its callers",
    mend: "initialise it in the device, or let the helper only compute the arguments",
  },
  [Reason.CreatedElsewhere]: {
    what: "another class or file initialises the region",
    why: "who creates the region must be who declares it",
    mend: "move the initialisation into the declaring class",
  },
  [Reason.CreatedThroughAlias]: {
    what: "the region is initialised through another name",
    why: "the other name would go on pointing at nothing",
    mend: "call the initialiser on the field itself",
  },
  [Reason.CreatedInExpression]: {
    what: "the region is created inside a larger expression",
    why: "only a plain statement can change between assigning and initialising",
    mend: "create it in a statement of its own",
  },
  [Reason.LocalReassigned]: {
    what: "the variable that holds the region is assigned more than once or declared with others",
    why: "a field stands for one region only",
    mend: "use one `const` for each region",
  },
  [Reason.UsedBeforeCreation]: {
    what: "the region is used before it is created",
    why: "embedded it is there, uninitialised; owned there is nothing",
    mend: "create it first",
  },
  [Reason.LeakedBeforeCreation]: {
    what: "a getter hands the region out before it is created",
    why: "embedded the caller gets the region to be; owned it gets undefined",
    mend: "create the region earlier, or ask for it later",
  },
  [Reason.UsedAfterFailure]: {
    what: "the region is used in the handler of its own failed creation",
    why: "a failed constructor has released the region already",
    mend: "do not touch the region in catch or finally",
  },
  [Reason.UsedAfterRelease]: {
    what: "the region is used when the owner has released it",
    why: "children go before instanceFinalize runs: embedded a use after finalization, owned a use after free",
    mend: "move it to unrealize",
  },
  [Reason.LeafUnparented]: {
    what: "a leaf region is unparented while flat views may hold it",
    why: "flat views count on the owner, not on the region: owned, its storage is gone before they are",
    mend: "unmap it with delSubregion or setEnabled(false) and let it die with its owner",
  },
  [Reason.ContainerUnparented]: {
    what: "a container or alias is unparented outside tear-down, or used after it",
    why: "a flat view whose root it is would read freed storage",
    mend: "keep it for the owner's life, or unparent it as the last thing in unrealize",
  },
  [Reason.Reassigned]: {
    what: "the field is assigned",
    why: "the field then stands for several regions",
    mend: "use a second field",
  },
  [Reason.ComputedAccess]: {
    what: "a field of the device is reached by a computed name",
    why: "nothing tells whether it is the region",
    mend: "write `this.name`",
  },
  [Reason.Destructured]: {
    what: "the region is taken out of the device by destructuring",
    why: "the moment of reading is hidden in a pattern",
    mend: "write `this.name`",
  },
  [Reason.OwnerSpread]: {
    what: "the device is spread or copied field by field",
    why: "a copy of the device shares or loses the region, depending on the form",
    mend: "copy the fields meant by name",
  },
  [Reason.Deleted]: {
    what: "the field is deleted",
    why: "deleting the reference does not release the region, deleting the embedded object does not either",
    mend: "remove the statement",
  },
  [Reason.IdentityCompared]: {
    what: "the region is compared or tested for being there",
    why: "embedded the answer never changes; owned it depends on when one asks",
    mend: "test isMapped, or keep a flag",
  },
  [Reason.ThisRebound]: {
    what: "the region's local is used in a `function` with a `this` of its own",
    why: "the field could not be reached from there",
    mend: "use an arrow function",
  },
  [Reason.ClassRefused]: {
    what: "another region of the class is refused",
    why: "a class is converted as a whole or not at all",
    mend: "mend the other region",
  },
};
