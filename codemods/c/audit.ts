/** Lifetime bugs that the C sources themselves show. Rules and their texts are those of the audit of TypeScript devices. */

import { resolve } from "node:path";
import type { LifetimeFinding } from "../lifetime/finding.ts";
import { type Level, Rule, ruleTexts } from "../lifetime/rules.ts";
import { pairOfCreate, pairOfInit } from "./api.ts";
import { conditionsOf, covers, isFirmAt, Lifecycle, type Point, Stage, squeezed } from "./lifecycle.ts";
import { acrossPair, Kind, type Tokens } from "./passes/1-lex.ts";
import { argumentsOf, type Field, textBetween, type Use } from "./passes/4-uses.ts";
import { findHeapSites, HeapJudge, type HeapJudgement } from "./passes/5-heap.ts";
import { baseText } from "./passes/5-order.ts";
import { analyse, type Progress } from "./pipeline.ts";
import type { FunctionBody, Source } from "./program.ts";
import { Reason } from "./reasons.ts";
import { bodyOf, statementAt } from "./statements.ts";
import { textOf, wordOf } from "./words.ts";

const OPEN = wordOf("(");
const ASSIGN = wordOf("=");
const UNPARENT = wordOf("object_unparent");

/** All findings of a tree, in the order of the files. */
export function auditTree(paths: readonly string[], progress: Progress = () => undefined): LifetimeFinding[] {
  const { program, types, fields } = analyse(paths, 0, progress);
  progress("order of functions");
  const lifecycle = new Lifecycle(program, types);
  progress("auditing");
  const found: LifetimeFinding[] = [];
  const report = (rule: Rule, source: Source, token: number, last: number, region: string, level?: Level) => {
    found.push(finding(program.root, rule, source, token, last, region, level));
  };
  const judge = new HeapJudge(types, new Map());
  for (const site of findHeapSites(program)) auditHeap(judge.judge(site), report);
  for (const field of fields) auditField(field, lifecycle, report);
  for (const source of program.sources.values()) {
    auditRealize(source, lifecycle, report);
    auditRunTime(source, lifecycle, report);
  }
  return found.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}

type Report = (
  rule: Rule,
  source: Source,
  first: number,
  last: number,
  region: string,
  level?: Level,
) => void;

/** A region allocated by hand leaks when its owner dies; without an owner it is immortal in any form. */
function auditHeap({ site, reason, inits }: HeapJudgement, report: Report): void {
  if (reason === Reason.StorageFreed) return;
  const { source, token, target, fn } = site;
  const close = acrossPair(source.tokens, token + 1);
  const owners = inits.map(({ use }) => ownerOf(use));
  const isImmortal = owners.length > 0 && owners.every((owner) => owner === "NULL");
  const region = `${fn?.name ?? "file"}.${target || "region"}`;
  report(Rule.HandAllocated, source, token, close, region, isImmortal ? "note" : undefined);
}

function ownerOf({ call, source }: Use): string {
  const owner = call && argumentsOf(source.tokens, call.open)[1];
  return owner === undefined ? "" : textBetween(source.tokens, owner[0], owner[1]);
}

function isInit({ call, casts }: Use): boolean {
  return call?.argument === 0 && casts.length === 0 && /^memory_region_init(?:_|$)/.test(call.callee);
}

function auditField(field: Field, lifecycle: Lifecycle, report: Report): void {
  const { member, uses } = field;
  const region = `${member.struct.name}.${member.name}`;
  const inits = uses.filter(isInit);
  const shapes = inits.map(({ call }) => pairOfInit.get(call?.callee ?? "")?.shape);
  const isLeaf = shapes.some((shape) => shape !== undefined && shape !== "alias" && shape !== "container");
  const unparents = uses.filter(({ call }) => call?.callee === "object_unparent");
  const say = (rule: Rule, use: Use, level?: Level) =>
    report(rule, use.source, use.call?.calleeToken ?? use.first, use.call?.close ?? use.last, region, level);
  for (const init of inits) {
    const { call, fn } = init;
    const owner = call && argumentsOf(init.source.tokens, call.open)[1];
    const isSelf =
      owner !== undefined &&
      uses.some((use) => use.fn === fn && use.first >= owner[0] && use.last <= owner[1]);
    if (isSelf) say(Rule.SelfOwner, init);
    if (ownerOf(init) === "NULL" && isDeviceSetUp(lifecycle, init)) say(Rule.OwnerNone, init);
    const again = inits.some((other) => other !== init && isRepeated(other, init));
    const isReleased = unparents.some(({ fn: other }) => (lifecycle.stagesOf(other) & Stage.Run) !== 0);
    if (again || (!isReleased && isInitAgain(lifecycle, init, inits))) say(Rule.CreatedAgain, init);
  }
  for (const unparent of unparents) {
    const stages = lifecycle.stagesOf(unparent.fn);
    if (isLeaf && (stages & Stage.Finalize) === 0) say(Rule.LeafUnparented, unparent);
    for (const use of uses) {
      if (use === unparent || isInit(use) || use.fn !== unparent.fn || baseText(use) !== baseText(unparent))
        continue;
      const isRenewed = inits.some(
        (init) => init.fn === use.fn && init.first > unparent.first && init.first < use.first,
      );
      if (!isRenewed && covers(use.fn, unparent.first, use.first)) say(Rule.UsedAfterUnparent, use);
    }
  }
  for (const use of uses) {
    if (unparents.includes(use) || isInit(use)) continue;
    // Only what runs in instance_finalize alone, or is called by it.
    if ((lifecycle.stagesOf(use.fn) & Stage.Finalize) !== 0) say(Rule.UsedInFinalize, use);
  }
}

/**
 * Owned regions that realize creates, in devices that can be unrealized: realize may run again, and nothing releases what the
 * earlier one created, unless some function of the file that runs then unparents regions.
 */
function auditRealize(source: Source, lifecycle: Lifecycle, report: Report): void {
  const { functions } = source;
  if (!functions.some((fn) => (lifecycle.roleOf(fn) & Stage.Exit) !== 0)) return;
  const isReleasing = (fn: FunctionBody) =>
    (lifecycle.stagesOf(fn) & Stage.Exit) !== 0 &&
    source.tokens.word.subarray(fn.bodyOpen, fn.bodyClose).includes(UNPARENT);
  if (functions.some(isReleasing)) return;
  for (const fn of functions) {
    if ((lifecycle.stagesOf(fn) & Stage.Realize) === 0) continue;
    for (const [token, target] of creationsIn(source, fn)) {
      const isTested = conditionsOf(fn, token).some(
        (condition) => target !== "" && condition.includes(`!${target}`),
      );
      if (isTested) continue;
      const close = acrossPair(source.tokens, token + 1);
      report(Rule.CreatedAtEachRealize, source, token, close, target === "" ? fn.name : target);
    }
  }
}

/** True for what a reset or the like runs, or a function that is called twice, under no condition about the device. */
function runsAgain(lifecycle: Lifecycle, point: Point): boolean {
  return (
    lifecycle.mayRepeat(point, true) || (isFirmAt(point) && lifecycle.calledAgain(point.fn) !== undefined)
  );
}

/** True if an initialisation runs twice, or any number of times, on storage that is the same each time. */
function isInitAgain(lifecycle: Lifecycle, init: Use, inits: readonly Use[]): boolean {
  const { fn, first, last, source, kind, index } = init;
  if (kind !== "address" || isOfNewStorage(fn, first)) return false;
  if (!runsAgain(lifecycle, { fn, token: first })) return false;
  const isOneOfMany =
    /\[(?!\d+\])/.test(textBetween(source.tokens, first, last)) ||
    (index !== undefined && !/^\d+$/.test(index));
  return (
    !isOneOfMany ||
    inits.some(
      (other) => other !== init && (lifecycle.stagesOf(other.fn) & (Stage.Init | Stage.Realize)) !== 0,
    )
  );
}

/** True if the expression at a token starts from a variable that the function sets to what a call returns. */
function isOfNewStorage(fn: FunctionBody, first: number): boolean {
  const { tokens } = fn.file;
  const name = tokens.word[first];
  for (let token = fn.bodyOpen; token < first; token++) {
    if (tokens.word[token] !== name || tokens.word[token + 1] !== ASSIGN) continue;
    const isCall = tokens.kind[token + 2] === Kind.Word && tokens.word[token + 3] === OPEN;
    if (isCall && /[a-z]/.test(textOf(tokens.word[token + 2] ?? 0))) return true;
  }
  return false;
}

/**
 * Owned regions that a reset, a register's handler, a timer or the like creates each time, or a function that is called twice: the
 * earlier ones stay children of the device. Unless a function of the file that runs then unparents the region or, for one that only a local holds, any region.
 */
function auditRunTime(source: Source, lifecycle: Lifecycle, report: Report): void {
  const { tokens, functions } = source;
  for (const fn of functions) {
    for (const [token, target] of creationsIn(source, fn)) {
      const [, member = ""] = /(?:->|\.)(\w+)$/.exec(target) ?? [];
      const isAgain =
        member === "" ? lifecycle.mayRepeat({ fn, token }, true) : runsAgain(lifecycle, { fn, token });
      if (!isAgain) continue;
      const isReleasing = (other: FunctionBody) =>
        (lifecycle.stagesOf(other) & Stage.Run) !== 0 && unparents(tokens, other, member);
      if (functions.some(isReleasing)) continue;
      const close = acrossPair(tokens, token + 1);
      report(Rule.CreatedAgain, source, token, close, target === "" ? fn.name : target);
    }
  }
}

/** True if a function unparents what an expression with the member names; anything, if none is given. */
function unparents(tokens: Tokens, { bodyOpen, bodyClose }: FunctionBody, member: string): boolean {
  for (let token = bodyOpen; token < bodyClose; token++) {
    if (tokens.word[token] !== UNPARENT || tokens.word[token + 1] !== OPEN) continue;
    const given = textBetween(tokens, token + 1, acrossPair(tokens, token + 1));
    if (new RegExp(`\\b${member}\\b`).test(given)) return true;
  }
  return false;
}

/** Calls that create an owned region, and what they are assigned to; "" if that is not the whole statement. */
function* creationsIn({ tokens }: Source, fn: FunctionBody): Iterable<readonly [number, string]> {
  for (let token = fn.bodyOpen; token < fn.bodyClose; token++) {
    if (tokens.word[token + 1] !== OPEN || !pairOfCreate.has(textOf(tokens.word[token] ?? 0))) continue;
    const { first } = statementAt(bodyOf(fn).root, token);
    const isAssigned = tokens.word[token - 1] === ASSIGN && first < token - 1;
    const target = isAssigned ? squeezed(textBetween(tokens, first, token - 2)) : "";
    yield [token, target.replace(/^.*\*/, "")];
  }
}

function isRepeated(first: Use, second: Use): boolean {
  return (
    first.kind === "address" &&
    first.fn === second.fn &&
    first.index === second.index &&
    baseText(first) === baseText(second) &&
    covers(first.fn, first.first, second.first)
  );
}

/** In the instance_init or realize of a device, where it could name the device as the owner. */
function isDeviceSetUp(lifecycle: Lifecycle, { fn }: Use): boolean {
  if ((lifecycle.roleOf(fn) & (Stage.Init | Stage.Realize)) === 0) return false;
  const [first] = fn.parameters;
  return /^(?:Object|DeviceState|PCIDevice|SysBusDevice)$/.test(String(first?.type.base));
}

function finding(
  root: string,
  rule: Rule,
  source: Source,
  first: number,
  last: number,
  region: string,
  level: Level = ruleTexts[rule].level,
): LifetimeFinding {
  const { text, start, end } = source.tokens;
  const from = start[first] ?? 0;
  const to = end[last] ?? from;
  const place = (offset: number) => {
    const before = text.slice(0, offset).split("\n");
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  };
  const [begin, close] = [place(from), place(to)];
  const detail = text.slice(from, to).replace(/\s+/g, " ");
  return {
    file: resolve(root, source.path),
    line: begin.line,
    column: begin.column,
    endLine: close.line,
    endColumn: close.column,
    rule,
    level,
    region,
    detail: detail.length > 70 ? `${detail.slice(0, 67)}...` : detail,
    related: [],
  };
}
