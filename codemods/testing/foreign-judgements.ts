/**
 * What is right for each source in prove/fixtures/foreign, judged by its text and by the rules of the object model, not by
 * what the codemods do with it.
 *
 * `converts`: a safe conversion exists. `refused`: none exists, for the reason given. `either`: one exists, but it relies on
 * something that the sources do not say, so that a refusal for one of the reasons is right as well.
 */
import type { Direction } from "../regions/facts.ts";

export interface Judgement {
  readonly name: string;
  readonly direction: Direction;
  readonly right: "converts" | "refused" | "either";
  /** Why, in words. */
  readonly why: string;
  /** Reasons that are true of the source; empty if it converts. */
  readonly reasons: readonly string[];
  /** A source that uses the classes as a board would, if the prover could not reach them otherwise. */
  readonly board?: string;
}

type Row = readonly [name: string, why: string, ...reasons: string[]];

const EARLY = ["used-before-creation", "leaked-before-creation"];
const LEAF = ["leaf-unparented"];
const OWNER = ["owner-elsewhere"];
const MANY = ["created-many-times", "created-twice", "created-in-loop"];

const toOwnedConverts: readonly Row[] = [
  ["a01-simple", "one window, created and declared in realize"],
  ["a03-embed-assigned-in-ctor", "the constructor only embeds; the creation is a plain statement in realize"],
  ["a05-getter-returns", "the field is kept for the getter, which callers reach once the device is plugged"],
  ["a07-mixin", "the mixin's class declares, creates and uses the region by itself"],
  ["a15-array-index-loop", "every index is created once, by one loop, and used in the same pass"],
  ["a17-array-two-loops", "the second loop follows the first"],
  ["a19-helper-free-fn", "the function can return the region that it creates; it has one caller"],
  ["a21-inherited-helper", "the method can create the region and return it; all callers are known"],
  ["a26-try-rethrow", "the handler throws, so that what follows runs only after the creation"],
  ["a27-try-return", "the handler returns, so that what follows runs only after the creation"],
  [
    "a30-try-ok-flag",
    "the flag is true only after the creation; a kept field needs no proof of that by types",
  ],
  ["a32-early-throw", "nothing uses the region if realize throws before it"],
  ["a34-if-flag-no-else", "the region is used only in the block that creates it"],
  ["a36-ternary-init", "both branches create it: the field can be assigned either"],
  ["a38-alias-after", "the aliases are read after the creation"],
  ["a42-destructured-this", "the pattern reads the kept field after the creation"],
  ["a44-bracket", "a literal in brackets is a name"],
  ["a45-optional-chain", "an embedded region always exists, so that the chain is a plain call"],
  ["a48-as-cast-use", "casts change nothing at run time"],
  ["a50-this-nonnull", "neither parentheses nor the assertion change anything"],
  ["a53-keyof-record", "the key is the literal name of a kept public field, read after the creation"],
  ["b01-container-child-device", "two classes, each with a region of its own; the container is left by hand"],
  ["b07-foreign-container", "the device leaves the board's container before it ends"],
  ["b10-comment-line-end", "comments move with their statements"],
  ["b12-comment-paren", "a parenthesis in a comment is not one of the call"],
  ["b13-comment-chain", "a comment can stay before the name of the constructor"],
  ["b15-url-name", "the name is text"],
  ["b17-mixed-eol", "line ends are trivia"],
  ["b19-80-columns", "the call may stay broken"],
  ["b21-no-semicolons-kept", "no line begins with a bracket; the field is kept for reset"],
  ["b23-unicode", "a name is a name"],
  ["b25-bom", "the mark stays in front"],
  ["b28-default-anonymous", "a class needs no name"],
  ["b30-import-as", "the class is known by its type"],
  ["b31-namespace-import", "the class is known by its type, and stays qualified"],
  ["b34-shadow-outer", "a kept field hides nothing"],
  ["b36-shadow-type", "types and values have names of their own"],
  ["b39-label", "nothing jumps to the label"],
  ["b42-type-annotation", "the annotation says what the initialiser says"],
  ["b45-class-decorator", "the decorator does not reach fields"],
  ["b48-string-name-null", "the name cannot be null"],
  ["b55-model-allocate", "storage allocated by hand is what new replaces, and leaks no more"],
  ["b59-array-shared-count-field", "the length is read when the array is full"],
  ["b65-opaque-region", "the opaque is read after the creation"],
  ["b67-asi-hazard", "the next line begins with its own semicolon"],
  ["b69-index-type", "the type of a kept public field is the same"],
  ["b70-super-field", "static members and declarations are no fields of the object"],
  ["d11-spread-args", "the tuple's type says that the name is a string"],
  ["d13-instance-init", "instanceInit runs once, and before realize"],
  ["d14-string-name", "a literal in brackets is a name; the field is kept under it"],
  ["d19-else-if", "every branch creates it or throws"],
  ["d20-two-realize-paths", "exactly one of the helpers runs"],
  ["d22-object-method-this", "the closure runs after the creation and reaches a kept field"],
  ["d25-static-method", "a static method of the class reaches a kept field"],
  ["d27-override-field", "the subclass creates before it calls the base's realize"],
  ["d31-while-true-retry", "the loop is left only after the creation or by the exception"],
  ["d32-label-comment-generic", "comments and type arguments move as they are"],
  ["d34-crlf-array", "line ends are trivia"],
  ["d36-two-on-creation-line", "two statements share a line"],
  ["d40-switch-nobreak-default-first", "every path through the cases reaches the creation"],
  ["e56-relative-import", "the class is known by its type"],
  ["e61-line-comment-call-first", "a comment in the call moves with the arguments"],
  ["e63-use-multi-line", "a call that could be shorter may stay as it is"],
];

const toOwnedRefused: readonly Row[] = [
  ["a09-subclass-uses-early", "the subclass declares the window before the base has created it", ...EARLY],
  [
    "a11-state-class",
    "the constructor of another object stores the region before it is created, and is told nothing later",
    ...EARLY,
    "created-through-alias",
    "created-elsewhere",
  ],
  [
    "a13-map-of-regions",
    "the loop that creates the regions walks the map that holds them: in the owned form it is empty",
    ...EARLY,
    "array-shape",
    "field-form",
    "created-through-alias",
  ],
  ["a18-array-used-before", "the windows are declared before they are created", ...EARLY],
  [
    "a25-generator-lazy",
    "the generator creates the region when it is run, after the region is declared",
    ...EARLY,
  ],
  [
    "a39-alias-before",
    "the alias is read before the creation, and would stay undefined",
    ...EARLY,
    "created-through-alias",
  ],
  ["a54-helper-pre-declares", "the first helper declares what the second creates", ...EARLY],
  ["a56-mmio-before-init", "the window is declared before it is created", ...EARLY],
  ["a57-callback-immediate", "the callback runs in instanceInit, before realize", ...EARLY],
  ["b03-del-in-finalize", "the finalizer uses regions that have been released", "used-after-release"],
  ["b04-unparent-by-children", "every child is unparented, and that includes the region", ...LEAF],
  ["b06-unparent-array-literal", "both regions are unparented, by way of a list", ...LEAF],
  [
    "b38-union-of-devices",
    "a function that anybody may call uses the region of a device that it plugs afterwards",
    ...EARLY,
  ],
  ["b44-decorator", "a decorator may do anything with the field and its first value", "field-form"],
  ["b49-name-maybe", "the path, and so the name, may be missing", "name-missing"],
  [
    "b60-array-length-early",
    "a field takes the array's length before the loop fills it",
    ...EARLY,
    "array-shape",
  ],
  [
    "b61-array-length-helper",
    "the helper takes the array's length before the loop fills it",
    ...EARLY,
    "array-shape",
  ],
  ["d02-owner-other-owned", "the owner is the bus, which outlives the storage in the device", ...OWNER],
  ["d04-unparent-getter", "the getter's result is the region, which is unparented", ...LEAF],
  [
    "d15-as-root-unparent",
    "the container is unparented while the destroyed address space still has to drop its reference",
    "container-unparented",
  ],
  ["d29-template-early", "the base declares the window before it calls the hook that creates it", ...EARLY],
  ["d39-two-instances", "the other device may not have been plugged yet", ...EARLY],
  [
    "e59-region-subclass",
    "the static constructors of the base make a region of the base, not of the subclass",
    "no-counterpart",
  ],
];

const toOwnedEither: readonly Row[] = [
  [
    "b52-any-this",
    "reset runs after realize; but what `any` reaches is not known",
    "computed-access",
    "untyped-access",
    ...EARLY,
  ],
  [
    "b53-private-bracket-outside",
    "the function reads a kept field; but nothing says when it is called",
    "computed-access",
    ...EARLY,
  ],
  [
    "d09-guard-and",
    "the flag guards both; but it is public, and somebody may change it in between",
    "created-conditionally",
    ...EARLY,
  ],
];

const toEmbeddedConverts: readonly Row[] = [
  ["c01-plain", "one window, created and declared in realize"],
  ["c02-inline-arg", "the argument is created by a statement of its own, right before"],
  ["c08-let-then-if", "one region, whose kind depends on a flag"],
  ["c10-let-sequence", "two regions, one after the other: two fields"],
  ["c16-array-push", "three regions, each pushed once"],
  ["c18-array-index", "the canonical loop"],
  ["c23-loop-break-after", "some of the embedded regions are never created, as is allowed"],
  ["c24-same-name-blocks", "two regions: two fields"],
  ["c28-name-own-hash", "a private name and a public one are different names"],
  ["c31-typeof", "the type of the field is that of the local"],
  ["c34-hash", "a private field may be embedded"],
  ["c40-anonymous-default", "a class needs no name"],
  ["c42-method-first", "the field goes where a field can stand"],
  ["c46-doc-and-plain", "comments move with their statements"],
  ["c51-kept-in-subclass", "the base declares, the subclass creates: the base embeds"],
  ["e09-inner-loop-shadows-i", "the inner index is another variable"],
];

const toEmbeddedRefused: readonly Row[] = [
  ["c04-helper-called-twice", "the helper makes a region at each call", ...MANY],
  ["c06-runtime-alias", "the guest makes a new region at each remap", ...MANY],
  [
    "c14-ctor-assigned",
    "the constructor runs before the object has a table of children, so that nothing holds the region",
    "created-in-constructor",
    "field-form",
    "created-elsewhere",
  ],
  [
    "c19-array-length-before",
    "the length is a flag: an embedded array is full from the start",
    "identity-compared",
    "array-shape",
    "used-before-creation",
  ],
  ["c32-unparent-run", "a leaf is unparented while the machine runs", ...LEAF],
  [
    "c37-owner-other",
    "references to the region keep its owner, the child device, but not the device that embeds both",
    ...OWNER,
  ],
  ["c38-owner-none", "the region outlives the device, whose storage would hold it", ...OWNER],
  ["c48-public-method-by-board", "the board makes a bank at each call", ...MANY],
  [
    "c49-memoised-getter",
    "the field says by its value whether the region exists",
    "created-in-expression",
    "nullable-field",
    "identity-compared",
    ...MANY,
  ],
  ["d01-owner-other-embedded", "the owner is the bus, which outlives the storage in the device", ...OWNER],
  ["e48-local-unparent-alias", "a leaf is unparented, through another name", ...LEAF],
  ["e54-getter-creates", "the getter makes a region at each call", ...MANY],
  ["e55-getter-name-differs", "the method makes a region at each call", ...MANY],
];

const toEmbeddedEither: readonly Row[] = [
  [
    "c12-nullable",
    "reset runs after realize, so that the field holds a region then; but an embedded one always exists",
    "nullable-field",
  ],
  ["c27-name-of-inherited", "another name for the field would do; but the local's is taken", "name-taken"],
  [
    "c53-truthiness",
    "reset runs after realize, so that the test fails in both forms; but it says that the field may be empty",
    "identity-compared",
  ],
  ["c43-subclass-same-local", "another name for one field would do; but each has the other's", "name-taken"],
];

const boards: Readonly<Record<string, string>> = {
  "a07-mixin": `import { SysBusDevice } from "#qdev";
import { WithWindow } from "./dev.ts";
export class Driven extends WithWindow(SysBusDevice) {
  static override readonly typeName: string = "driven";
}
`,
  "d39-two-instances": `import { Dut } from "./dev.ts";
export class Driven extends Dut {
  static override readonly typeName: string = "driven";
  protected override instanceInit(): void {
    this.peer = this.model.create(Dut);
    this.addChild("peer", this.peer);
    this.peer.unref();
  }
}
`,
};

function judgements(direction: Direction, right: Judgement["right"], rows: readonly Row[]): Judgement[] {
  return rows.map(([name, why, ...reasons]) => {
    const board = boards[name];
    return { name, direction, right, why, reasons, ...(board === undefined ? {} : { board }) };
  });
}

export const foreignJudgements: readonly Judgement[] = [
  ...judgements("to-owned", "converts", toOwnedConverts),
  ...judgements("to-owned", "refused", toOwnedRefused),
  ...judgements("to-owned", "either", toOwnedEither),
  ...judgements("to-embedded", "converts", toEmbeddedConverts),
  ...judgements("to-embedded", "refused", toEmbeddedRefused),
  ...judgements("to-embedded", "either", toEmbeddedEither),
];
