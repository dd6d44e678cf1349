/**
 * The analysis of one device: follows its regions through its life, as the flow engine walks it, and reports what goes
 * wrong. A finding is reported where a path is known to lead to it; where a condition decides, the code is trusted.
 */
import { ts } from "ts-morph";
import {
  type Analysis,
  accessOf,
  Callees,
  type ClassShape,
  type FlowEvent,
  type FlowProgram,
  type Frame,
  functionAround,
  LifePhase,
  strip,
} from "../flow/index.ts";
import { constructorByInit, constructorByNew, Shape } from "../regions/constructors.ts";
import type { Callers } from "./callers.ts";
import { create, creationByCall, initialise, SHOWN } from "./creation.ts";
import { checkFailed, checkTornDown } from "./ending.ts";
import { Fields } from "./fields.ts";
import type { Findings } from "./finding.ts";
import { add, declareWindow, mapWindow, remove, unmapWindows } from "./mapping.ts";
import { assignOutside, keepOutside } from "./outliving.ts";
import { newRecord, type Record } from "./record.ts";
import { dropReference, References, takeReference } from "./references.ts";
import { destroySpace, unparent, unplugChild } from "./release.ts";
import { Rule } from "./rules.ts";
import { Content, type DeviceState, Place, STANDING, START, States } from "./state.ts";
import { isOwnRegion, type Target, Targets } from "./targets.ts";
import { Timers } from "./timers.ts";

/** Stands for a field that no class can have. */
const WINDOWS_UNMAPPED = " windows unmapped";

/** What kind of object the class makes; decides which rules about its end apply. */
export interface Kind {
  /** It is realized and unrealized, and may go while the machine runs. */
  readonly isDevice: boolean;
  /** It goes with the whole machine. */
  readonly isMachine: boolean;
}

export class Watch implements Analysis<DeviceState> {
  readonly initial = START;
  readonly program: FlowProgram;
  readonly shape: ClassShape;
  readonly kind: Kind;
  readonly targets: Targets;
  readonly callees: Callees;
  readonly fields: Fields;
  readonly states: States;
  readonly findings: Findings;
  readonly callers: Callers;
  readonly references = new References();
  readonly timers = new Timers();
  /** Drops of references that regions never gave out. */
  readonly borrowed: { readonly node: ts.CallExpression; readonly target: Target; readonly key: string }[] =
    [];
  /** Objects that were given a parent by `addChild`. */
  readonly childrenAdded = new Set<number>();
  /** Set when the tear-down removes a region from a container of which it is not known which it is. */
  removesUnknown = false;
  /** Set when the walk met code that it could not follow. */
  hasUnknowns = false;
  phase: LifePhase = LifePhase.Construct;
  private readonly records = new Map<number, Record>();
  private readonly className: string;

  constructor(program: FlowProgram, shape: ClassShape, kind: Kind, findings: Findings, callers: Callers) {
    this.program = program;
    this.shape = shape;
    this.kind = kind;
    this.findings = findings;
    this.callers = callers;
    this.callees = new Callees(program, shape);
    this.targets = new Targets(program, this.callees);
    this.fields = new Fields(shape);
    this.states = new States((index) => this.fields.initial(index));
    this.className = shape.declaration.name?.text ?? "(anonymous)";
  }

  join(one: DeviceState, other: DeviceState): DeviceState {
    return this.states.join(one, other);
  }

  equal(one: DeviceState, other: DeviceState): boolean {
    return this.states.equal(one, other);
  }

  transfer(event: FlowEvent, state: DeviceState): DeviceState {
    if (event.kind === "phase") return this.enterPhase(event.phase, state);
    if (state.unreachable) return state;
    if (event.kind === "unknown") this.hasUnknowns = true;
    if (event.kind === "branch") return this.branch(event.condition, event.taken, event.frame, state);
    if (event.kind !== "evaluated" || event.followed) return state;
    return this.evaluated(event.node, event.frame, state);
  }

  get isTearDown(): boolean {
    return this.phase === LifePhase.Unrealize;
  }

  recordOf(target: Target): Record {
    let record = this.records.get(target.index);
    if (record === undefined) {
      record = newRecord(target);
      this.records.set(target.index, record);
    }
    return record;
  }

  get seen(): Iterable<Record> {
    return this.records.values();
  }

  report(
    rule: Rule,
    node: ts.Node,
    target: Target | undefined,
    related: readonly { readonly node: ts.Node; readonly text: string }[] = [],
  ): void {
    if (this.phase === LifePhase.Afterwards && rule !== Rule.UsedAfterUnrealize) return;
    if (this.phase === LifePhase.Abandoned && rule !== Rule.RemovedNeverAdded) return;
    this.findings.add(
      rule,
      node,
      target === undefined ? this.className : `${this.className}.${target.name}`,
      related,
    );
  }

  place(state: DeviceState, target: Target): number {
    return this.states.place(state, target.index);
  }

  /** Moves an object; if it is only one of several that may be meant, it may also stay where it is. */
  move(state: DeviceState, target: Target, place: number, certain: boolean): DeviceState {
    const kept = certain && !target.many ? 0 : this.place(state, target);
    return this.states.withPlace(state, target.index, kept | place);
  }

  /** Regions that `initMmio` was given: one of them if the index is a literal, else all. */
  windows(index?: ts.Expression): readonly Target[] {
    return this.targets.windowsOf(index);
  }

  /** Whether the device has unmapped its windows, whoever had mapped them. */
  areWindowsUnmapped(state: DeviceState): boolean {
    return this.fields.get(this.states, state, WINDOWS_UNMAPPED) === Content.Full;
  }

  withWindowsUnmapped(state: DeviceState, unmapped: boolean): DeviceState {
    return this.fields.set(this.states, state, WINDOWS_UNMAPPED, unmapped ? Content.Full : Content.Empty);
  }

  private enterPhase(phase: LifePhase, state: DeviceState): DeviceState {
    this.phase = phase;
    if (phase === LifePhase.Unrealized) checkTornDown(this, state);
    if (phase === LifePhase.Failed) checkFailed(this, state);
    if (phase === LifePhase.Run) return this.fields.set(this.states, state, "realized", Content.Full);
    if (phase === LifePhase.Unrealize) return this.fields.set(this.states, state, "realized", Content.Empty);
    return state;
  }

  private evaluated(node: ts.Node, frame: Frame, state: DeviceState): DeviceState {
    if (ts.isCallExpression(node)) return this.call(node, frame, state);
    if (ts.isNewExpression(node)) return creationByCall(this, node, frame, state);
    if (ts.isBinaryExpression(node)) return this.assigned(node, frame, state);
    if (ts.isPropertyAccessExpression(node)) this.read(node, frame, state);
    return state;
  }

  /** `region.property`, and the part before the parenthesis of `region.method()`. */
  private read(node: ts.PropertyAccessExpression, frame: Frame, state: DeviceState): void {
    const { parent } = node;
    const called = ts.isCallExpression(parent) && parent.expression === node;
    const name = node.name.text;
    if (called && (constructorByInit.has(name) || name === "freeBlockOf" || name === "unparent")) return;
    const targets = this.targets.of(node.expression, frame);
    if (targets.length === 0 || !this.isRegion(node.expression)) return; // types cost more than sources
    for (const target of targets) this.use(target, node, state, frame);
  }

  /** True for an expression of a region's type. */
  isRegion(node: ts.Expression): boolean {
    return this.fields.isRegion(this.program, strip(node));
  }

  /** Anything that touches an object other than creating or unparenting it. */
  use(target: Target, node: ts.Node, state: DeviceState, frame?: Frame): void {
    const record = this.recordOf(target);
    record.used = true;
    if (frame !== undefined && isOwnRegion(target)) this.timers.used(frame, target, node);
    if (target.kind === "space" || target.kind === "object") return;
    const place = this.place(state, target);
    if (this.phase === LifePhase.Finalize) {
      const created = (place & ~Place.Absent) !== 0;
      if (created && isOwnRegion(target) && record.owner !== "none" && record.owner !== "foreign")
        this.report(Rule.UsedInFinalize, node, target);
    } else if (this.isGone(target, state)) {
      this.report(
        this.phase === LifePhase.Afterwards ? Rule.UsedAfterUnrealize : Rule.UsedAfterUnparent,
        node,
        target,
      );
    }
  }

  /** True for an object that was certainly unparented or destroyed. */
  isGone(target: Target, state: DeviceState): boolean {
    const place = this.place(state, target);
    return (place & Place.Gone) !== 0 && (place & (STANDING | Place.Absent)) === 0 && !target.many;
  }

  private call(node: ts.CallExpression, frame: Frame, state: DeviceState): DeviceState {
    const access = accessOf(strip(node.expression));
    const name = access?.name;
    if (access === undefined || name === undefined) return this.passed(node, frame, state);
    const { object } = access;
    keepOutside(this, node, name, object, frame);
    switch (name) {
      case "addSubregion":
        return add(this, node, object, frame, this.passed(node, frame, state));
      case "delSubregion":
        return remove(this, node, object, frame, this.passed(node, frame, state));
      case "unparent":
      case "remove":
        return unparent(this, node, object, frame, state);
      case "unplug":
        return unplugChild(this, node, object, frame, state);
      case "initMmio":
        return declareWindow(this, node, frame, this.passed(node, frame, state));
      case "mapMmio":
        return mapWindow(this, node, object, frame, state);
      case "unmapMmio":
      case "unmapAll":
        return unmapWindows(this, node, object, frame, state);
      case "destroy":
        return destroySpace(this, object, frame, state);
      case "timer":
        this.timers.made(this, node, frame);
        return this.passed(node, frame, state);
      case "cancel":
        if (this.isTearDown) this.timers.cancelled(this, object, frame);
        return state;
      case "drain":
      case "poll":
        return /(?:^|\.)rcu$/.test(strip(object).getText()) ? { ...state, quiet: true } : state;
      case "ref":
      case "takeRef":
        return takeReference(this, node, object, frame, state);
      case "unref":
      case "dropRef":
        return dropReference(this, node, object, frame, state);
      case "unmap":
        return this.unmapped(node, frame, state);
      case "addChild":
      case "initializeChild":
        for (const arg of node.arguments)
          for (const each of this.targets.of(arg, frame)) this.childrenAdded.add(each.index);
        return name === "addChild"
          ? this.passed(node, frame, state)
          : initialise(this, node, frame, this.passed(node, frame, state));
      case "initialize":
        return initialise(this, node, frame, this.passed(node, frame, state));
      default: {
        const maker = constructorByInit.get(name);
        const after = this.passed(node, frame, state);
        if (maker !== undefined && this.isRegion(object))
          return create(this, node, this.targets.of(object, frame), maker, frame, after);
        return creationByCall(this, node, frame, after);
      }
    }
  }

  /** Objects among the arguments of a call. */
  private passed(node: ts.CallExpression, frame: Frame, state: DeviceState): DeviceState {
    for (const arg of node.arguments) {
      const bare = strip(arg);
      if (!mayRefer(bare)) continue;
      for (const target of this.targets.of(bare, frame)) {
        if (target.node === node) continue;
        const record = this.recordOf(target);
        record.exposed = true;
        const frees = accessOf(strip(node.expression))?.name === "freeBlockOf";
        if (frees) record.released = true;
        else if (!this.isShown(node, arg) || !this.isGone(target, state)) this.use(target, arg, state, frame);
      }
    }
    return state;
  }

  /** True for the target in a call that makes an alias, which has a rule of its own. */
  private isShown(call: ts.CallExpression, arg: ts.Expression): boolean {
    const name = accessOf(strip(call.expression))?.name ?? "";
    const maker = constructorByInit.get(name) ?? constructorByNew.get(name);
    return maker?.shape === Shape.Alias && call.arguments[SHOWN] === arg;
  }

  private unmapped(node: ts.CallExpression, frame: Frame, state: DeviceState): DeviceState {
    const [mapping] = node.arguments;
    if (mapping !== undefined)
      for (const target of this.targets.of(mapping, frame)) this.recordOf(target).released = true;
    return state;
  }

  private assigned(node: ts.BinaryExpression, frame: Frame, state: DeviceState): DeviceState {
    const { kind } = node.operatorToken;
    if (kind < ts.SyntaxKind.FirstAssignment || kind > ts.SyntaxKind.LastAssignment) return state;
    assignOutside(this, node, frame);
    const target = accessOf(strip(node.left));
    if (target?.name === undefined) return state;
    const onDevice = this.callees.sources.of(target.object, frame).some(({ kind }) => kind === "device");
    if (!onDevice) return state;
    return this.fields.set(this.states, state, target.name, this.fields.contentOf(node.right));
  }

  /** What a condition says about fields, and about regions that it asks whether they are mapped. */
  private branch(node: ts.Expression, taken: boolean, frame: Frame, state: DeviceState): DeviceState {
    const test = this.fields.test(node);
    if (test === undefined) return state;
    const full = test.negated ? !taken : taken;
    const access = accessOf(test.subject);
    if (access?.name === "mapped" || access?.name === "container") {
      const [region, ...more] = this.targets.of(access.object, frame);
      return region === undefined || more.length > 0 ? state : this.narrowMapped(region, full, state);
    }
    const [source, ...others] = this.callees.sources.of(test.subject, frame);
    if (others.length > 0) return state;
    if (source?.kind === "field" && this.isEarlierValue(test.subject, source.name)) return state;
    const name =
      source?.kind === "field"
        ? source.name
        : access?.name === "realized" &&
            this.callees.sources.of(access.object, frame).some(({ kind }) => kind === "device")
          ? "realized"
          : undefined;
    if (name === undefined) return state;
    const narrowed = this.fields.narrow(this.states, state, name, full ? Content.Full : Content.Empty);
    return narrowed.unreachable || name === "realized"
      ? narrowed
      : this.narrowHeld(test.subject, full, frame, narrowed);
  }

  /** True for a variable that took the value of a field which its function also assigns: they may differ by now. */
  private isEarlierValue(subject: ts.Expression, field: string): boolean {
    const name = strip(subject);
    if (!ts.isIdentifier(name)) return false;
    const around = functionAround(name);
    return this.shape.storedInField(field).some((value) => functionAround(value) === around);
  }

  /** An owned region that only this field refers to stands nowhere while the field is empty. */
  private narrowHeld(field: ts.Expression, full: boolean, frame: Frame, state: DeviceState): DeviceState {
    let current = state;
    for (const target of this.targets.of(field, frame)) {
      if (target.many || target.kind === "embedded" || !isOwnRegion(target)) continue;
      const place = this.place(current, target);
      const left = full ? place & ~Place.Absent : place & ~STANDING;
      if (left !== 0) current = this.states.withPlace(current, target.index, left);
      else if (!full) current = this.states.withPlace(current, target.index, Place.Absent);
    }
    return current;
  }

  private narrowMapped(region: Target, mapped: boolean, state: DeviceState): DeviceState {
    const inside = Place.Own | Place.Foreign | Place.Window;
    const place = this.place(state, region);
    const left = mapped ? place & inside : place & ~inside;
    return left === 0 || region.many ? state : this.states.withPlace(state, region.index, left);
  }
}

/** Expressions that can refer to an object; literals and operators cannot. */
function mayRefer(node: ts.Expression): boolean {
  return (
    ts.isIdentifier(node) ||
    ts.isPropertyAccessExpression(node) ||
    ts.isElementAccessExpression(node) ||
    ts.isCallExpression(node) ||
    ts.isNewExpression(node) ||
    ts.isConditionalExpression(node) ||
    ts.isBinaryExpression(node)
  );
}
