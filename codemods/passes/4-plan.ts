/** Phase 4: the text of every file after the conversion, with the hash of the text that it was planned for. */
import type { Node } from "ts-morph";
import { firstCreation } from "../hazards/order.ts";
import type { Shape } from "../regions/constructors.ts";
import type { Direction, FileFacts, Form, Refusal, StrayRegion } from "../regions/facts.ts";
import type { Subject } from "../regions/makers.ts";
import type { Reason } from "../regions/reasons.ts";
import { applyEdits, type TextEdit } from "../source/edits.ts";
import type { Position } from "../source/positions.ts";
import { parseRawText } from "../source/raw-text.ts";
import type { LayoutNote } from "../source/statements.ts";
import { placeOf } from "../source/trivia.ts";
import { hashOf } from "../source/workspace.ts";
import { moduleName } from "./1-analyse.ts";
import { constructorOf, isSourceForm, type JudgedDevice, statementOf, type Verdict } from "./3-judge.ts";
import { planToEmbedded } from "./4-plan-to-embedded.ts";
import { planToOwned } from "./4-plan-to-owned.ts";
import { Draft } from "./draft.ts";
import { linkedGroups } from "./links.ts";

/** One region and its outcome. */
export interface Site {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly className: string;
  readonly region: string;
  /** Implied by its constructor; undefined if none was found. */
  readonly shape: Shape | undefined;
  readonly array: boolean;
  readonly form: Form | undefined;
  readonly outcome: "converted" | "already" | "refused";
  /** For a converted region: whether its owned form has a field, and why. */
  readonly treatment: "dropped" | "kept" | undefined;
  readonly why: string | undefined;
  readonly reason: Reason | undefined;
  readonly detail: string | undefined;
  /** Where the region is created, if the conversion removes its declaration. */
  readonly movesTo: Position | undefined;
}

export interface FilePlan {
  readonly path: string;
  /** SHA-256 of the text that the plan was made for. */
  readonly sha256: string;
  readonly before: string;
  readonly after: string;
  /** From `before` to `after`, in terms of the text that `parseRawText` makes of it. */
  readonly edits: readonly TextEdit[];
  readonly sites: readonly Site[];
  readonly notes: readonly LayoutNote[];
  readonly deviceCount: number;
}

export interface Plan {
  readonly direction: Direction;
  readonly subject: Subject;
  readonly files: readonly FilePlan[];
  /** Paths of sources of the package that were searched for uses although they are not in UTF-8. */
  readonly notUtf8: readonly string[];
}

/** A file whose regions have been judged. */
export interface JudgedFile {
  readonly facts: FileFacts;
  readonly devices: readonly JudgedDevice[];
  /** The text as it is on disk, with its own line endings. */
  readonly text: string;
}

/** Edits that are made together or not at all. Offsets refer to the parsed text, as `parseRawText` returns it. */
export interface Unit {
  readonly devices: readonly JudgedDevice[];
  /** By absolute path of the file. */
  readonly edits: ReadonlyMap<string, readonly TextEdit[]>;
  readonly notes: ReadonlyMap<string, readonly LayoutNote[]>;
}

/**
 * Phase 4: the edits of every class that converts; classes that depend on each other share a unit. `known` are units planned
 * from some of the files before, which need not be planned again.
 */
export function planUnits(
  files: readonly JudgedFile[],
  direction: Direction,
  known: readonly Unit[] = [],
): Unit[] {
  const converting = files.flatMap(({ devices }) => devices).filter(({ converts }) => converts);
  const ofOneClass = new Map(
    known.map((unit) => [unit.devices.length === 1 ? unit.devices[0] : undefined, unit]),
  );
  return linkedGroups(converting).map((devices) => {
    const planned = devices.length === 1 ? ofOneClass.get(devices[0]) : undefined;
    if (planned !== undefined) return planned;
    const draft = new Draft();
    for (const device of devices) {
      if (direction === "to-owned") planToOwned(device, draft);
      else planToEmbedded(device, draft);
    }
    return { devices, ...draft.finish() };
  });
}

/** The text and the report of one file after the units that edit it, of those that hold. */
export function planFile(judged: JudgedFile, units: readonly Unit[], direction: Direction): FilePlan {
  const { facts, devices, text: before } = judged;
  const path = facts.file.getFilePath();
  const edits = units.flatMap((unit) => unit.edits.get(path) ?? []);
  const raw = parseRawText(before);
  const sites = [
    ...devices.flatMap(sitesOf),
    ...devices.flatMap(({ device }) => device.strays.map((each) => straySite(each, device.name, direction))),
    ...facts.strays.map((each) => straySite(each, moduleName, direction)),
  ];
  sites.sort((a, b) => a.line - b.line || a.column - b.column);
  return {
    path,
    sha256: hashOf(before),
    before,
    edits,
    after: edits.length === 0 ? before : raw.restore(applyEdits(raw.text, edits)),
    sites,
    notes: units.flatMap((unit) => unit.notes.get(path) ?? []),
    deviceCount: facts.deviceCount,
  };
}

function sitesOf({ device, fields, locals, allocations, fieldNames }: JudgedDevice): Site[] {
  const sites: Site[] = [];
  for (const [field, verdict] of fields) {
    const { declaration, name: region, array, form } = field;
    const shape = constructorOf(field)?.shape;
    const what = { region, shape, array, form };
    const isDropped = verdict.outcome === "converted" && verdict.treatment === "dropped";
    const creation = isDropped ? firstCreation(field)?.statement : undefined;
    sites.push(site(declaration, device.name, what, verdict, form === "embedded" ? creation : undefined));
  }
  for (const [local, verdict] of locals) {
    const region = fieldNames.get(local) ?? (local.loop === undefined ? local.name : `${local.name}s`);
    const shape = local.calls[0]?.maker.shape;
    const what = { region, shape, array: local.loop !== undefined, form: "owned" } as const;
    sites.push(site(statementOf(local), device.name, what, verdict));
  }
  for (const [allocation, verdict] of allocations) {
    const region = allocation.target.replace(/^this\./, "");
    const what = { region, shape: allocation.maker.shape, array: false, form: "allocated" } as const;
    sites.push(site(allocation.statement, device.name, what, verdict, allocation.initStatement));
  }
  return sites;
}

function site(
  node: Node,
  className: string,
  what: Pick<Site, "region" | "shape" | "array" | "form">,
  verdict: Verdict,
  moves?: Node,
): Site {
  const refusal: Refusal | undefined = verdict.outcome === "refused" ? verdict.refusal : undefined;
  const converted = verdict.outcome === "converted" ? verdict : undefined;
  const at = refusal?.node ?? node;
  return {
    file: at.getSourceFile().getFilePath(),
    ...placeOf(at),
    className,
    ...what,
    outcome: verdict.outcome,
    treatment: converted?.treatment,
    why: converted?.why,
    reason: refusal?.reason,
    detail: refusal?.detail,
    movesTo: converted && moves ? placeOf(moves) : undefined,
  };
}

/** A stray of the target form needs no conversion; one of the source form, or of neither, is refused. */
function straySite(stray: StrayRegion, className: string, direction: Direction): Site {
  const refused = isSourceForm(stray.form, direction);
  return {
    file: stray.node.getSourceFile().getFilePath(),
    ...placeOf(stray.node),
    className,
    region: stray.name,
    shape: stray.maker?.shape,
    array: false,
    form: stray.form,
    outcome: refused ? "refused" : "already",
    treatment: undefined,
    why: undefined,
    reason: refused ? stray.reason : undefined,
    detail: refused ? (stray.node.getText().split("\n")[0] ?? "") : undefined,
    movesTo: undefined,
  };
}
