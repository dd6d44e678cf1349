/** Pass 4: the text of every file after the conversion, with the hash of the text that it was planned for. */
import type { Node } from "ts-morph";
import type { Shape } from "../regions/constructors.ts";
import type { Direction, Form, Refusal, StrayRegion } from "../regions/facts.ts";
import type { Reason } from "../regions/reasons.ts";
import { applyEdits } from "../source/edits.ts";
import { parseRawText } from "../source/raw-text.ts";
import type { LaidOut, LayoutNote } from "../source/statements.ts";
import { placeOf } from "../source/trivia.ts";
import { hashOf, openWorkspace, type Workspace, type WorkspaceOptions } from "../source/workspace.ts";
import { analyse, type FileFacts, moduleName } from "./1-analyse.ts";
import { combine } from "./2-combine.ts";
import { constructorOf, fieldNameOf, type JudgedDevice, judge, sourceForm, type Verdict } from "./3-judge.ts";
import { planToEmbedded } from "./4-plan-to-embedded.ts";
import { planToOwned } from "./4-plan-to-owned.ts";

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
}

export interface FilePlan {
  readonly path: string;
  /** SHA-256 of the text that the plan was made for. */
  readonly sha256: string;
  readonly before: string;
  readonly after: string;
  readonly sites: readonly Site[];
  readonly notes: readonly LayoutNote[];
  readonly deviceCount: number;
}

export interface Plan {
  readonly direction: Direction;
  readonly files: readonly FilePlan[];
}

/** Plans the conversion of sources, given by absolute path. @throws CommandError if one cannot be read or parsed. */
export function planConversion(
  paths: readonly string[],
  direction: Direction,
  options: WorkspaceOptions = {},
): Plan {
  return planFiles(readProgram(paths, options), paths, direction);
}

/** Plans opposite conversions of two sets of sources, parsed and resolved together. Throws like `planConversion`. */
export function planBothWays(
  embedded: readonly string[],
  owned: readonly string[],
  options: WorkspaceOptions = {},
): { readonly toOwned: Plan; readonly toEmbedded: Plan } {
  const program = readProgram([...embedded, ...owned], options);
  return {
    toOwned: planFiles(program, embedded, "to-owned"),
    toEmbedded: planFiles(program, owned, "to-embedded"),
  };
}

/** Sources after the passes that do not depend on the direction. */
interface Program {
  readonly workspace: Workspace;
  readonly facts: readonly FileFacts[];
}

function readProgram(paths: readonly string[], options: WorkspaceOptions): Program {
  const workspace = openWorkspace(paths, options);
  const facts = analyse(workspace);
  combine(workspace, facts);
  return { workspace, facts };
}

function planFiles({ workspace, facts }: Program, paths: readonly string[], direction: Direction): Plan {
  const wanted = new Set(paths);
  const files = facts.filter(({ file }) => wanted.has(file.getFilePath()));
  return { direction, files: files.map((file) => planFile(file, direction, workspace)) };
}

function planFile(facts: FileFacts, direction: Direction, workspace: Workspace): FilePlan {
  const path = facts.file.getFilePath();
  const before = workspace.raw.get(path) ?? facts.file.getFullText();
  const judged = facts.devices.map((device) => judge(device, direction, workspace));
  const laidOut = judged.filter(({ converts }) => converts).map((device) => planDevice(device, direction));
  const edits = laidOut.flatMap((each) => each.edits);
  const raw = parseRawText(before);
  const sites = [
    ...judged.flatMap(sitesOf),
    ...judged.flatMap(({ device }) => device.strays.map((each) => straySite(each, device.name, direction))),
    ...facts.strays.map((each) => straySite(each, moduleName, direction)),
  ];
  sites.sort((a, b) => a.line - b.line || a.column - b.column);
  return {
    path,
    sha256: hashOf(before),
    before,
    after: edits.length === 0 ? before : raw.restore(applyEdits(raw.text, edits)),
    sites,
    notes: laidOut.flatMap(({ notes }) => notes),
    deviceCount: facts.deviceCount,
  };
}

function planDevice(judged: JudgedDevice, direction: Direction): LaidOut {
  return direction === "to-owned" ? planToOwned(judged) : planToEmbedded(judged);
}

function sitesOf({ device, fields, locals }: JudgedDevice): Site[] {
  const sites: Site[] = [];
  for (const [field, verdict] of fields) {
    const { declaration, name: region, array, form } = field;
    const shape = constructorOf(field)?.shape;
    sites.push(site(declaration, device.name, { region, shape, array, form }, verdict));
  }
  for (const [local, verdict] of locals) {
    const { statement, maker, loop } = local;
    const region = fieldNameOf(local);
    const what = { region, shape: maker.shape, array: loop !== undefined, form: "owned" } as const;
    sites.push(site(statement, device.name, what, verdict));
  }
  return sites;
}

function site(
  node: Node,
  className: string,
  what: Pick<Site, "region" | "shape" | "array" | "form">,
  verdict: Verdict,
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
  };
}

/** A stray of the target form needs no conversion; one of the source form, or of neither, is refused. */
function straySite(stray: StrayRegion, className: string, direction: Direction): Site {
  const refused = stray.form === undefined || stray.form === sourceForm(direction);
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
  };
}
