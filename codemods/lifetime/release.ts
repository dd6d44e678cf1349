/** Unparenting, destroying and unplugging. */
import { ts } from "ts-morph";
import { accessOf, type Frame, LifePhase, strip } from "../flow/index.ts";
import { Shape } from "../regions/constructors.ts";
import { reportTwice } from "./mapping.ts";
import type { Record } from "./record.ts";
import { isGuarded } from "./repetition.ts";
import { Rule } from "./rules.ts";
import { type DeviceState, HELD, Place, STANDING } from "./state.ts";
import { isOwnRegion, type Target } from "./targets.ts";
import type { Watch } from "./watch.ts";

/** `region.unparent()`; for a child device also `remove()`, which unplugs it first. */
export function unparent(
  watch: Watch,
  node: ts.CallExpression,
  object: ts.Expression,
  frame: Frame,
  state: DeviceState,
): DeviceState {
  const targets = watch.targets.of(object, frame);
  const child = watch.targets.childOf(object, frame);
  if (child !== undefined && targets.every((each) => !isOwnRegion(each)))
    return unplugChild(watch, node, object, frame, state);
  reportTwice(watch, Rule.UsedAfterUnparent, node, object, frame);
  let current = state;
  const isDeferred = isInRcuCallback(node);
  for (const target of targets) {
    if (!isOwnRegion(target)) continue;
    checkUnparent(watch, node, target, frame, current, isDeferred);
    const record = watch.recordOf(target);
    record.unparented = true;
    if (watch.phase === LifePhase.Run) record.unparentedAtRunTime = true;
    record.used = true;
    record.released = true;
    if (watch.isTearDown) record.releasedInTearDown = true;
    current = watch.move(current, target, Place.Gone, targets.length === 1);
  }
  return current;
}

function checkUnparent(
  watch: Watch,
  node: ts.CallExpression,
  target: Target,
  frame: Frame,
  state: DeviceState,
  isDeferred: boolean,
): void {
  const place = watch.place(state, target);
  const record = watch.recordOf(target);
  if (watch.phase === LifePhase.Finalize) {
    if ((place & ~Place.Absent) !== 0 && record.owner !== "none")
      watch.report(Rule.UsedInFinalize, node, target);
    return;
  }
  if ((place & Place.Gone) !== 0 && (place & (STANDING | Place.Absent)) === 0 && !target.many) {
    const after = watch.phase === LifePhase.Afterwards ? Rule.UsedAfterUnrealize : Rule.UsedAfterUnparent;
    watch.report(after, node, target);
    return;
  }
  if ((place & STANDING) === 0 && !target.many) return;
  const shapes = record.creations.map(({ shape }) => shape);
  const isLeaf = shapes.some((shape) => shape !== Shape.Container && shape !== Shape.Alias);
  if (isLeaf) {
    if (record.exposed && !isDeferred && !state.quiet) watch.report(Rule.LeafUnparented, node, target);
    return;
  }
  if (record.spaces.length > 0 && !isDeferred && !state.quiet)
    watch.report(Rule.RootUnparented, node, target);
  else if (isMappedElsewhere(place, record.released, target))
    watch.report(Rule.ContainerUnparented, node, target);
  else if (mayBeMappedByBoard(watch, node, frame, record, state))
    watch.report(watch.isTearDown ? Rule.WindowUnparented : Rule.ContainerUnparented, node, target);
  for (const other of watch.seen)
    if (
      other.shows.some(({ index }) => index === target.index) &&
      isStanding(watch.place(state, other.target))
    )
      watch.report(Rule.AliasOutlivesTarget, node, other.target, [{ node: target.node, text: "its target" }]);
}

/** In another owner's container for sure, or perhaps, if nothing ever removes it. */
function isMappedElsewhere(place: number, released: boolean, { many }: Target): boolean {
  if (many || (place & HELD) === 0) return false;
  return (place & ~HELD) === 0 || !released;
}

/** A window that `initMmio` declared, unless the device unmaps its windows first, or asks whether they are mapped. */
function mayBeMappedByBoard(
  watch: Watch,
  node: ts.Node,
  frame: Frame,
  { isWindow, target }: Record,
  state: DeviceState,
): boolean {
  if (!isWindow || target.many || watch.areWindowsUnmapped(state)) return false;
  return !isGuarded(watch, node, frame);
}

function isStanding(place: number): boolean {
  return (place & STANDING) !== 0 && (place & Place.Gone) === 0;
}

/** True inside a function that is passed to `rcu.call`: it runs after a grace period. */
function isInRcuCallback(node: ts.Node): boolean {
  for (let each: ts.Node = node; each.parent !== undefined; each = each.parent) {
    const { parent } = each;
    if (!ts.isFunctionLike(each) || !ts.isCallExpression(parent)) continue;
    const access = accessOf(strip(parent.expression));
    if (access?.name === "call" && /(?:^|\.)rcu$/.test(strip(access.object).getText())) return true;
  }
  return false;
}

/** `space.destroy()`. */
export function destroySpace(
  watch: Watch,
  object: ts.Expression,
  frame: Frame,
  state: DeviceState,
): DeviceState {
  const spaces = watch.targets.of(object, frame).filter(({ kind }) => kind === "space");
  let current: DeviceState = spaces.length > 0 ? { ...state, quiet: false } : state;
  for (const space of spaces) {
    const record = watch.recordOf(space);
    record.released = true;
    if (watch.phase === LifePhase.Run) record.unparentedAtRunTime = true;
    if (watch.isTearDown) record.releasedInTearDown = true;
    current = watch.move(current, space, Place.Gone, spaces.length === 1);
  }
  return current;
}

/** `child.unplug()`, `child.remove()` and `child.unparent()`; only the last two end it. */
export function unplugChild(
  watch: Watch,
  node: ts.CallExpression,
  object: ts.Expression,
  frame: Frame,
  state: DeviceState,
): DeviceState {
  const child = watch.targets.childOf(object, frame);
  const name = accessOf(strip(node.expression))?.name;
  if (child === undefined || name === "unplug") return state;
  for (const { shows, target } of watch.seen)
    if (
      shows.some((each) => each.kind === "child" && each.node === child) &&
      isStanding(watch.place(state, target))
    )
      watch.report(Rule.AliasOutlivesTarget, node, target, [
        { node: child, text: "its target belongs to this child" },
      ]);
  for (const made of watch.targets.of(object, frame)) watch.recordOf(made).released = true;
  return state;
}
