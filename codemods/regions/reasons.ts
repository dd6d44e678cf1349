/** Why a region is refused. The value is the reason's name in JSON reports and its heading in docs/codemods.md. */
export const Reason = {
  // Declaration
  TypeUnresolved: "type-unresolved",
  NotQomObject: "not-qom-object",
  StaticField: "static-field",
  FieldForm: "field-form",
  NullableField: "nullable-field",
  ArrayShape: "array-shape",
  // Creation
  NeverCreated: "never-created",
  NeverUsed: "never-used",
  NoCounterpart: "no-counterpart",
  NameMissing: "name-missing",
  OwnerIsRegion: "owner-is-region",
  OwnerElsewhere: "owner-elsewhere",
  ArgumentsSpread: "arguments-spread",
  AllocatedByHand: "allocated-by-hand",
  CreatedTwice: "created-twice",
  CreatedManyTimes: "created-many-times",
  CreatedConditionally: "created-conditionally",
  CreatedInConstructor: "created-in-constructor",
  CreatedInLoop: "created-in-loop",
  CreatedInClosure: "created-in-closure",
  CreatedByHelper: "created-by-helper",
  CreatedElsewhere: "created-elsewhere",
  CreatedThroughAlias: "created-through-alias",
  CreatedInExpression: "created-in-expression",
  CommentInside: "comment-inside",
  LocalReassigned: "local-reassigned",
  // Use
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
  StorageObserved: "storage-observed",
  CodeInText: "code-in-text",
  NotFollowed: "not-followed",
  // Child objects
  ChildUnparented: "child-unparented",
  ChildReferenced: "child-referenced",
  ChildOutlivesParent: "child-outlives-parent",
  ConstructionObserved: "construction-observed",
  // The class
  ClassRefused: "class-refused",
  WouldNotCompile: "would-not-compile",
} as const;
export type Reason = (typeof Reason)[keyof typeof Reason];

/** Reasons that only a child object can have. */
export const childReasons: readonly Reason[] = [
  Reason.ChildUnparented,
  Reason.ChildReferenced,
  Reason.ChildOutlivesParent,
  Reason.ConstructionObserved,
];

/** One line each: what was found, why that stops the conversion, what to do about it. */
export interface ReasonText {
  readonly what: string;
  readonly why: string;
  readonly mend: string;
}

export const reasonTexts: Readonly<Record<Reason, ReasonText>> = {
  [Reason.TypeUnresolved]: {
    what: "the type of the region cannot be resolved",
    why: "without it a memory region cannot be told from another child",
    mend: "make the import resolve, then run again",
  },
  [Reason.NotQomObject]: {
    what: "the region is held by something that is not a QOM object",
    why: "only a QOM object can be the parent that keeps an owned region alive",
    mend: "move the region into the device that owns it",
  },
  [Reason.StaticField]: {
    what: "the region field is static",
    why: "a region shared by all objects of the class has no owner that could release it",
    mend: "make it a field of the object",
  },
  [Reason.FieldForm]: {
    what: "the region field is declared in an unsupported form",
    why: "decorators, accessors, `declare`, optional fields and shared lines have no counterpart",
    mend: "declare it `private readonly name = this.embed(MemoryRegion);` on a line of its own",
  },
  [Reason.NullableField]: {
    what: "the field may hold no region",
    why: "an embedded region always exists, so the tests for null would change their meaning",
    mend: "leave it owned, or create the region once and use setEnabled",
  },
  [Reason.ArrayShape]: {
    what: "the array of regions is not created by one plain loop",
    why: "the loop's bound and names must be recognisable in the text of both forms",
    mend: "create the regions in `for (const [index, window] of this.windows.entries())`, with a constant count",
  },
  [Reason.NeverCreated]: {
    what: "no call creates the region",
    why: "the owned form has nothing to assign",
    mend: "initialise it in the class that declares it, or delete the field if nothing uses it",
  },
  [Reason.NeverUsed]: {
    what: "nothing uses the region after its creation",
    why: "its owned form would be an unused variable, which the compiler rejects",
    mend: "map the region, or delete it",
  },
  [Reason.NoCounterpart]: {
    what: "the region's class has no constructor of the other form",
    why: "there is no call to replace the existing one with",
    mend: "add the missing constructor to the region's class",
  },
  [Reason.NameMissing]: {
    what: "the region's name is or may be null or undefined",
    why: "only the owner's child property, which is made from the name, holds an owned region",
    mend: "give it a name",
  },
  [Reason.OwnerIsRegion]: {
    what: "the owner is a region",
    why: "a region that owns itself is never released, and one owned by another region is released with it",
    mend: "make the device the owner",
  },
  [Reason.OwnerElsewhere]: {
    what: "the owner is not the object that holds the region",
    why: "the region lives as long as its owner: embedded storage may end earlier, an owned region may outlast the device",
    mend: "make the device the owner, or keep the region where its owner is",
  },
  [Reason.ArgumentsSpread]: {
    what: "the arguments of the constructor are spread",
    why: "which of them are the owner and the name cannot be seen",
    mend: "write the arguments one by one",
  },
  [Reason.AllocatedByHand]: {
    what: "the region's storage is allocated by hand",
    why: "QOM finalizes such a region but never frees its storage, so it leaks",
    mend: "initialise it directly after its allocation, which converts to owned, or use a `new…` constructor",
  },
  [Reason.CreatedTwice]: {
    what: "the region is created more than once",
    why: "the first of two owned regions would remain a child of the device for the device's lifetime",
    mend: "create it once, or use two fields",
  },
  [Reason.CreatedManyTimes]: {
    what: "the code that creates the region may run more than once",
    why: "each run of an owned form makes another region, while an embedded one would initialise a live object",
    mend: "create it once, in instanceInit or realize",
  },
  [Reason.CreatedConditionally]: {
    what: "the region is used where it may not have been created",
    why: "an embedded region exists anyway, uninitialised; an owned one does not",
    mend: "create it on every path, or use it only under an `if` with the same condition",
  },
  [Reason.CreatedInConstructor]: {
    what: "the region is created in a constructor or a field's initial value",
    why: "the object has no children before its initialisation, so nothing would hold the region",
    mend: "create it in instanceInit or realize",
  },
  [Reason.CreatedInLoop]: {
    what: "the region is created in a loop",
    why: "every iteration would create another owned region",
    mend: "use embedArray, or create it outside the loop",
  },
  [Reason.CreatedInClosure]: {
    what: "the region is created in a nested function",
    why: "it is not known when, or how often, that function runs",
    mend: "create it in the method itself",
  },
  [Reason.CreatedByHelper]: {
    what: "the region is passed to a function that initialises it",
    why: "the owned form needs a function that returns the region, which changes its signature for all callers",
    mend: "initialise it in the device, or let the helper only compute the arguments",
  },
  [Reason.CreatedElsewhere]: {
    what: "other code than a method of the object itself initialises the region",
    why: "another class, another file or a static method may do so for any object, any number of times",
    mend: "move the initialisation into a method of the declaring class",
  },
  [Reason.CreatedThroughAlias]: {
    what: "the region is initialised through another name",
    why: "in the owned form the other name would stay undefined",
    mend: "call the initialiser on the field itself",
  },
  [Reason.CreatedInExpression]: {
    what: "the region is created inside a larger expression",
    why: "only a plain statement can change between assigning and initialising",
    mend: "create it in a statement of its own",
  },
  [Reason.CommentInside]: {
    what: "a comment stands inside the part of the creation that the conversion replaces",
    why: "the comment would be lost, or end up beside other code",
    mend: "move the comment above the statement",
  },
  [Reason.LocalReassigned]: {
    what: "the variable that holds the region is assigned more than once or declared with others",
    why: "a field can hold one region only",
    mend: "use one `const` for each region",
  },
  [Reason.UsedBeforeCreation]: {
    what: "the region is used before it is created, or where it may never have been",
    why: "an embedded region exists by then, uninitialised; an owned one does not",
    mend: "create it first, or use it only if the device is `realized`",
  },
  [Reason.LeakedBeforeCreation]: {
    what: "a getter returns the region before it is created",
    why: "in the embedded form the caller gets the uninitialised region; in the owned form it gets undefined",
    mend: "create the region earlier, or call the getter later",
  },
  [Reason.UsedAfterFailure]: {
    what: "the region is used in the handler of its own failed creation",
    why: "a failed constructor has already released the region",
    mend: "do not use the region in catch or finally",
  },
  [Reason.UsedAfterRelease]: {
    what: "the region is used after its owner has released it",
    why: "children are released before instanceFinalize runs, so this uses a finalized or a freed region",
    mend: "move the use to unrealize",
  },
  [Reason.LeafUnparented]: {
    what: "a leaf region is unparented while flat views may hold it",
    why: "flat views count on the owner, not on the region: an owned region's storage is freed before they are done",
    mend: "unmap it with delSubregion or setEnabled(false) and let it be released with its owner",
  },
  [Reason.ContainerUnparented]: {
    what: "a container or alias is unparented outside teardown, used after it, or while something refers to it",
    why: "a flat view or a list of windows that has it would read freed storage",
    mend: "keep it for the owner's lifetime, or unparent it as its last use in unrealize, out of all containers",
  },
  [Reason.Reassigned]: {
    what: "the field is assigned",
    why: "the field then refers to different regions over time",
    mend: "use a second field",
  },
  [Reason.ComputedAccess]: {
    what: "a field of the device is accessed by a computed name",
    why: "it is not known whether that is the region",
    mend: "write `this.name`",
  },
  [Reason.Destructured]: {
    what: "the region is taken out of the device by destructuring",
    why: "the pattern hides the moment of reading",
    mend: "write `this.name`",
  },
  [Reason.OwnerSpread]: {
    what: "the device is spread or copied field by field",
    why: "a copy of the device shares or loses the region, depending on the form",
    mend: "copy the intended fields by name",
  },
  [Reason.Deleted]: {
    what: "the field is deleted",
    why: "deleting the reference does not release the region, and neither does deleting the embedded object",
    mend: "remove the statement",
  },
  [Reason.IdentityCompared]: {
    what: "the region is compared or tested for existence",
    why: "in the embedded form the answer never changes; in the owned form it depends on the time",
    mend: "test `mapped`, or keep a flag",
  },
  [Reason.ThisRebound]: {
    what: "the region's local is used in a `function` with a `this` of its own",
    why: "the field could not be reached from there",
    mend: "use an arrow function",
  },
  [Reason.StorageObserved]: {
    what: "the device reads how much storage there is",
    why: "an embedded region is part of the device's block, an owned one has a block of its own",
    mend: "leave `block` and `heap` to tests and tools",
  },
  [Reason.CodeInText]: {
    what: "`eval` runs text that may name the region",
    why: "no type and no other file says what it does",
    mend: "write the code out",
  },
  [Reason.NotFollowed]: {
    what: "the region goes where the codemods cannot follow it",
    why: "code that is not understood may unparent it, initialise it or need it too early",
    mend: "write this use in one of the forms that docs/codemods.md lists",
  },
  [Reason.ChildUnparented]: {
    what: "the child, or an object that may be it, is unparented",
    why: "the storage of an embedded child stays with its parent, while an owned one is freed at once",
    mend: "let the child go with its parent, or make it one that is created and released at run time",
  },
  [Reason.ChildReferenced]: {
    what: "code takes or drops references to the child, or to an object that may be it",
    why: "a referenced owned child outlives its parent, an embedded one is freed with it",
    mend: "leave the references to the tree of objects",
  },
  [Reason.ChildOutlivesParent]: {
    what: "the child has memory regions, and flat views that show them hold references to the child alone",
    why: "in the storage of its parent it would be freed under a view that is still read",
    mend: "leave it owned",
  },
  [Reason.ConstructionObserved]: {
    what: "the constructor of the child's class, or the initial value of a field, does or sees something outside it",
    why: "an embedded child is constructed with its parent, an owned one when it is created",
    mend: "move that to instanceInit, which runs at the same moment in both forms",
  },
  [Reason.ClassRefused]: {
    what: "another region of the class is refused",
    why: "a class is converted as a whole or not at all",
    mend: "fix the other region",
  },
  [Reason.WouldNotCompile]: {
    what: "the program would not compile after the conversion",
    why: "the compiler, with the options of the file's tsconfig.json, reports an error that is not there now",
    mend: "change the code that the error is about so that it fits both forms",
  },
};
