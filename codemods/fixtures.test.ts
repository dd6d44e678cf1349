import { Node } from "ts-morph";
import { describe, expect, test } from "vitest";
import type { FilePlan } from "./passes/4-plan.ts";
import type { Direction } from "./regions/facts.ts";
import { childReasons, Reason } from "./regions/reasons.ts";
import { newProject } from "./source/workspace.ts";
import { Converter, fixtureNames, fixtures, readFixture } from "./testing/golden-project.ts";

const converter = new Converter();

function planOf(plans: ReadonlyMap<string, FilePlan>, path: string): FilePlan {
  const plan = plans.get(path);
  if (plan === undefined) throw new Error(`no plan for ${path}`);
  return plan;
}

const convertedNames = fixtureNames("converted");
const befores = convertedNames.map((name) => `converted/${name}/before.ts`);
const afters = convertedNames.map((name) => `converted/${name}/after.ts`);

describe("converted", () => {
  const toOwned = converter.convertAll(befores, "to-owned");
  const toEmbedded = converter.convertAll(afters, "to-embedded");
  const toOwnedAgain = converter.convertAll(afters, "to-owned");
  const toEmbeddedAgain = converter.convertAll(befores, "to-embedded");

  for (const name of convertedNames) {
    const [before, after] = [`converted/${name}/before.ts`, `converted/${name}/after.ts`];

    test(`${name}, there and back`, () => {
      const owned = planOf(toOwned, before);
      expect(refusedSites(owned)).toEqual([]);
      expect(owned.after).toBe(readFixture(after));
      expect(owned.sites.filter(({ outcome }) => outcome !== "converted")).toEqual([]);
      const embedded = planOf(toEmbedded, after);
      expect(refusedSites(embedded)).toEqual([]);
      expect(embedded.after).toBe(readFixture(before));
      expect(embedded.sites.filter(({ outcome }) => outcome !== "converted")).toEqual([]);
    });

    test(`${name}, a second run changes nothing`, () => {
      for (const plan of [planOf(toOwnedAgain, after), planOf(toEmbeddedAgain, before)]) {
        expect(plan.after).toBe(plan.before);
        expect(new Set(plan.sites.map(({ outcome }) => outcome))).toEqual(new Set(["already"]));
      }
    });
  }
});

/** Results that have no embedded form. */
const noWayBack: Readonly<Record<string, readonly string[]>> = {
  "alias-replaced": ["6 Remapped.bar class-refused", "19 Remapped.alias created-many-times"],
};

describe("one way", () => {
  for (const direction of ["to-owned", "to-embedded"] as const) {
    const names = fixtureNames("one-way", direction);
    const path = (name: string, file: string) => `one-way/${direction}/${name}/${file}.ts`;
    const plans = converter.convertAll(
      names.map((name) => path(name, "before")),
      direction,
    );
    const plansAgain = converter.convertAll(
      names.map((name) => path(name, "after")),
      direction,
    );
    const back = direction === "to-owned" ? "to-embedded" : "to-owned";
    const plansBack = converter.convertAll(
      names.map((name) => path(name, "after")),
      back,
    );

    for (const name of names) {
      test(`${direction} ${name}: converts, is stable, and is not refused on the way back`, () => {
        const plan = planOf(plans, path(name, "before"));
        expect(refusedSites(plan)).toEqual([]);
        expect(plan.after).toBe(readFixture(path(name, "after")));
        expect(planOf(plansAgain, path(name, "after")).after).toBe(plan.after);
        expect(refusedSites(planOf(plansBack, path(name, "after")))).toEqual(noWayBack[name] ?? []);
      });
    }
  }
});

function refusedSites({ sites }: FilePlan): string[] {
  return sites
    .filter(({ reason }) => reason !== undefined)
    .map(({ line, className, region, reason }) => `${line} ${className}.${region} ${reason}`);
}

/** Every refused region of the fixtures: direction, folder, then line of the offending node, class.field, reason. */
const refusals: readonly (readonly [Direction, string, ...string[]])[] = [
  ["to-owned", "array-shape", "13 Bridge.windows array-shape"],
  ["to-owned", "class-refused", "6 Mixed.good class-refused", "11 Mixed.nameless name-missing"],
  ["to-owned", "computed-access", "17 Chooser.low computed-access", "17 Chooser.high computed-access"],
  [
    "to-owned",
    "container-unparented",
    "6 Windows.container class-refused",
    "16 Windows.low container-unparented",
  ],
  ["to-owned", "container-used-after-unparent", "15 Parting.container container-unparented"],
  ["to-owned", "created-by-helper", "17 Vga.window created-by-helper"],
  ["to-owned", "created-elsewhere", "20 Slot.window created-elsewhere"],
  ["to-owned", "created-in-closure", "10 Lazy.window created-in-closure"],
  ["to-owned", "created-in-expression", "10 Counted.window created-in-expression"],
  ["to-owned", "created-in-loop", "10 Channels.channel created-in-loop"],
  ["to-owned", "created-in-other-file", "11 Slot.window created-elsewhere"],
  ["to-owned", "created-through-alias", "9 Renamed.window created-through-alias"],
  ["to-owned", "created-twice", "14 Restless.window created-twice"],
  ["to-owned", "deleted", "14 Forgetful.window deleted"],
  ["to-owned", "destructured", "8 Terse.window destructured"],
  ["to-owned", "owner-elsewhere", "10 Guest.window owner-elsewhere"],
  ["to-owned", "arguments-spread", "8 Packed.window arguments-spread"],
  ["to-owned", "not-followed", "11 Lent.window not-followed"],
  ["to-owned", "unparented-by-getter", "17 Removable.block leaf-unparented"],
  ["to-owned", "unparented-in-list", "16 Cleaned.low leaf-unparented", "16 Cleaned.high leaf-unparented"],
  ["to-owned", "used-by-earlier-helper", "13 Ordered.window used-before-creation"],
  ["to-owned", "reached-without-type", "15 Untyped.window computed-access"],
  ["to-owned", "allocated-and-kept-bare", "9 Bare.window allocated-by-hand"],
  ["to-owned", "field-form", "5 Late.window field-form"],
  ["to-owned", "code-in-text", "16 Scripted.window code-in-text"],
  [
    "to-owned",
    "created-by-bracket",
    "11 Roundabout.first created-in-expression",
    "12 Roundabout.second created-in-expression",
  ],
  ["to-owned", "reached-as-record", "9 Reflective.window computed-access"],
  ["to-owned", "storage-observed", "12 Frank.window storage-observed"],
  ["to-owned", "unparented-inside", "17 Inside.container container-unparented"],
  ["to-owned", "window-unparented", "14 Parting.container container-unparented"],
  ["to-owned", "identity-compared", "14 Jealous.window identity-compared"],
  ["to-owned", "leaf-unparented", "6 Balloon.container class-refused", "18 Balloon.block leaf-unparented"],
  ["to-owned", "leaked-before-creation", "14 Leaky.window leaked-before-creation"],
  ["to-owned", "leaked-to-another-class", "21 Serial.window leaked-before-creation"],
  ["to-owned", "name-may-be-missing", "10 Named.window name-missing"],
  ["to-owned", "name-missing", "9 Subpage.page name-missing"],
  ["to-owned", "never-created", "6 Draft.window never-created"],
  ["to-owned", "never-used", "6 Orphan.window never-used"],
  ["to-owned", "no-counterpart", "15 Iommu.upstream no-counterpart"],
  ["to-owned", "not-qom-object", "6 WindowState.window not-qom-object"],
  ["to-owned", "owner-is-region", "9 Blob.blob owner-is-region"],
  ["to-owned", "owner-spread", "12 Saved.window owner-spread"],
  ["to-owned", "reassigned", "14 Swapping.window reassigned"],
  ["to-owned", "static-field", "6 Shared.window static-field"],
  ["to-owned", "type-unresolved", "8 Timer.registers type-unresolved"],
  ["to-owned", "used-after-failure", "12 Frame.pixels used-after-failure"],
  [
    "to-owned",
    "used-after-release",
    "21 Untidy.container used-after-release",
    "21 Untidy.window used-after-release",
  ],
  [
    "to-owned",
    "used-before-creation",
    "6 Hasty.container class-refused",
    "11 Hasty.window used-before-creation",
  ],
  ["to-owned", "used-in-earlier-phase", "10 Early.window used-before-creation"],
  ["to-owned", "array-count-hidden", "8 Hub.windows array-shape"],
  ["to-owned", "class-expression", "6 (module).window field-form"],
  ["to-owned", "class-in-variable", "8 Indirect.window field-form"],
  ["to-owned", "comment-inside", "5 Annotated.window field-form"],
  ["to-owned", "created-after-early-return", "16 Sparse.window created-conditionally"],
  ["to-owned", "created-conditionally", "17 Tracer.window created-conditionally"],
  ["to-owned", "owner-serialized", "14 Talkative.window owner-spread"],
  ["to-owned", "reached-through-interface", "19 Served.pane created-elsewhere"],
  ["to-owned", "unparented-by-helper", "14 Borrower.block leaf-unparented"],
  ["to-owned", "used-in-setter", "9 Gated.window used-before-creation"],
  ["to-owned", "used-by-on-unparent", "9 Parting.window used-before-creation"],
  ["to-owned", "used-by-override", "9 Wordy.window used-before-creation"],
  ["to-owned", "used-by-early-input", "13 Gate.window used-before-creation"],
  ["to-owned", "used-by-option-getter", "6 Measured.window used-before-creation"],
  ["to-owned", "used-by-parent-too-early", "23 Kid.window used-before-creation"],
  ["to-owned", "used-by-peer", "18 Second.window used-before-creation"],
  ["to-owned", "would-not-compile", "5 Strict.screen would-not-compile"],
  [
    "to-owned",
    "read-by-pattern",
    "9 Taken.window used-before-creation",
    "28 Raised.window used-before-creation",
  ],
  [
    "to-owned",
    "run-by-the-language",
    "9 Joined.window used-before-creation",
    "25 Recorded.window used-before-creation",
    "40 Listed.window used-before-creation",
  ],
  ["to-embedded", "created-by-pattern", "13 Renewed.bank created-many-times"],
  ["to-embedded", "code-in-text", "12 Scripted.window code-in-text"],
  ["to-embedded", "constructor-taken", "7 Borrowing.newIo created-in-expression"],
  ["to-embedded", "storage-observed", "12 Frank.window storage-observed"],
  ["to-embedded", "array-count-in-method", "8 Counting.windows array-shape"],
  ["to-embedded", "created-in-closure", "7 Delayed.window created-in-closure"],
  ["to-embedded", "created-in-expression", "10 Returned.returned created-in-expression"],
  ["to-embedded", "created-in-constructor", "9 Hurried.window created-in-constructor"],
  ["to-embedded", "created-in-loop", "7 Several.window created-in-loop"],
  ["to-embedded", "created-outside-of-class", "6 (module).made created-in-expression"],
  ["to-embedded", "created-many-times", "12 Banks.bank created-many-times"],
  ["to-embedded", "comment-inside", "6 Remarked.window comment-inside"],
  ["to-embedded", "array-by-while", "10 Counted.windows array-shape"],
  ["to-embedded", "realized-twice-by-subclass", "6 Base.window created-many-times"],
  ["to-embedded", "index-changed", "9 Skipping.windows array-shape"],
  ["to-embedded", "leaf-unparented", "8 Brief.window leaf-unparented"],
  ["to-embedded", "unparented-through-alias", "12 Undoing.window leaf-unparented"],
  ["to-embedded", "allocated-by-hand", "6 Leaking.window allocated-by-hand"],
  ["to-embedded", "local-reassigned", "6 Frugal.region local-reassigned"],
  ["to-embedded", "nullable-field", "13 Optional.window nullable-field"],
  ["to-embedded", "reassigned", "14 Shown.window reassigned"],
  ["to-embedded", "this-rebound", "11 Rebound.window this-rebound"],
];

describe("refused", () => {
  const directions = ["to-owned", "to-embedded"] as const;
  const plansOf = (file: string) =>
    new Map(
      directions.map((direction) => {
        const paths = fixtureNames("refused", direction).map(
          (name) => `refused/${direction}/${name}/${file}`,
        );
        return [direction, converter.convertAll(paths, direction)];
      }),
    );
  const plans = plansOf("before.ts");
  const plansAgain = plansOf("after.ts");

  for (const [direction, name, ...sites] of refusals) {
    const folder = `refused/${direction}/${name}`;

    test(`${direction} ${name}: the class is unchanged, the other one converts`, () => {
      const plan = planOf(plans.get(direction) ?? new Map(), `${folder}/before.ts`);
      expect(refusedSites(plan)).toEqual(sites);
      const converted = plan.sites.filter(({ outcome }) => outcome === "converted");
      expect(converted.map(({ className }) => className)).toEqual(["Beeper"]);
      expect(plan.after).toBe(readFixture(folder, "after.ts"));
    });

    test(`${direction} ${name}: a second run refuses the same and changes nothing`, () => {
      const again = planOf(plansAgain.get(direction) ?? new Map(), `${folder}/after.ts`);
      expect(again.after).toBe(again.before);
      expect(again.sites.some(({ outcome }) => outcome === "converted")).toBe(false);
      // The other file knows only the class in before.ts, so nothing creates the region in after.ts.
      const others = name === "created-in-other-file" ? ["6 Slot.window never-created"] : undefined;
      expect(refusedSites(again)).toEqual(others ?? sites);
    });
  }

  test("every fixture is in the table", () => {
    for (const direction of ["to-owned", "to-embedded"] as const) {
      const listed = refusals.filter(([each]) => each === direction).map(([, name]) => name);
      expect(listed.sort()).toEqual(fixtureNames("refused", direction));
    }
  });

  test("every reason has a fixture", () => {
    const shown = new Set(refusals.flatMap(([, , ...sites]) => sites.map((site) => site.split(" ")[2])));
    const left = Object.values(Reason).filter((reason) => !shown.has(reason));
    expect(left).toEqual(childReasons); // see children/children.test.ts
  });
});

test("the golden project compiles, before and after", () => {
  const project = newProject();
  project.addSourceFilesAtPaths(`${fixtures}/**/*.ts`);
  const unresolved = `${fixtures}/refused/to-owned/type-unresolved/`;
  const files = project.getSourceFiles().filter((file) => !file.getFilePath().startsWith(unresolved));
  expect(files.length).toBeGreaterThan(100);
  const messages = files
    .flatMap((file) => file.getPreEmitDiagnostics())
    .map((each) => {
      return `${each.getSourceFile()?.getFilePath()}:${each.getLineNumber()}: ${JSON.stringify(each.getMessageText())}`;
    });
  expect(messages).toEqual([]);
  expect(files.every((file) => Node.isSourceFile(file))).toBe(true);
});
