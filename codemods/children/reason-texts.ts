/** The reasons for refusing, in words for what a conversion is about. */
import type { Subject } from "../regions/makers.ts";
import { childReasons, Reason, type ReasonText, reasonTexts } from "../regions/reasons.ts";

/** Where a region's reason holds for children with other words than `child` for `region`. */
const own: Readonly<Partial<Record<Reason, Partial<ReasonText>>>> = {
  [Reason.TypeUnresolved]: {
    what: "the type of the child, or of the method that creates it, cannot be resolved",
    why: "without it an object of the model cannot be told from anything else",
  },
  [Reason.FieldForm]: { mend: "declare it `readonly name = this.embed(Type);` on a line of its own" },
  [Reason.NullableField]: { mend: "leave it owned, or create it in every case" },
  [Reason.NoCounterpart]: {
    what: "what creates the child does not name one class",
    why: "the storage of an embedded child has one class",
    mend: "give each class a field of its own",
  },
  [Reason.ArrayShape]: {
    mend: "create the children in `for (const [index, port] of this.ports.entries())`, with a constant count",
  },
  [Reason.NameMissing]: {
    why: "the name is that of the property which holds the child",
  },
  [Reason.CreatedByHelper]: { mend: "call initializeChild in the class that declares the field" },
  [Reason.StorageObserved]: {
    why: "an embedded child is part of the device's block, an owned one has a block of its own",
  },
  [Reason.IdentityCompared]: { mend: "keep a flag" },
};

const forChildren: Readonly<Record<Reason, ReasonText>> = { ...reasonTexts };
for (const [reason, text] of Object.entries(reasonTexts) as [Reason, ReasonText][]) {
  const words = (sentence: string) =>
    sentence
      .replaceAll("memory region", "child")
      .replaceAll("regions", "children")
      .replaceAll("region", "child");
  const isOwn = childReasons.includes(reason);
  const { what, why, mend } = isOwn
    ? text
    : { what: words(text.what), why: words(text.why), mend: words(text.mend) };
  Object.assign(forChildren, { [reason]: { what, why, mend, ...own[reason] } });
}

export function textsFor(subject: Subject): Readonly<Record<Reason, ReasonText>> {
  return subject === "regions" ? reasonTexts : forChildren;
}
