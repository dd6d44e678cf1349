/** Regions in containers. */
import { ts } from "ts-morph";
import { accessOf, type Frame, functionAround, LifePhase, strip } from "../flow/index.ts";
import { countOf, elementsOf, metTwice } from "./elements.ts";
import type { Container, Record } from "./record.ts";
import { entryName, isGuarded, mayRepeat } from "./repetition.ts";
import { Rule } from "./rules.ts";
import { type DeviceState, Place } from "./state.ts";
import { isOwnRegion, type Target } from "./targets.ts";
import type { Watch } from "./watch.ts";

/** `container.addSubregion(offset, region)`. */
export function add(
  watch: Watch,
  node: ts.CallExpression,
  container: ts.Expression,
  frame: Frame,
  state: DeviceState,
): DeviceState {
  const region = node.arguments[1];
  if (region === undefined) return state;
  const subregions = watch.targets.of(region, frame);
  const holders = watch.targets.of(container, frame).filter(isOwnRegion);
  reportTwice(watch, Rule.AddedTwice, node, region, frame);
  let current: DeviceState = { ...state, quiet: false };
  for (const target of subregions) {
    const record = watch.recordOf(target);
    const own = holders.length > 0 || isOfSameClass(watch, container);
    record.containers.add(containerOf(watch, container, frame));
    const elements = elementsOf(watch.program, region, countOf(watch.program, target.node));
    if (!own) record.mappings.push({ node, isSystem: isSystemMemory(watch, container, frame), elements });
    // A region without an owner is counted on nothing, in whichever container it is.
    const place = own || record.owner === "none" ? Place.Own : Place.Foreign;
    if (watch.phase === LifePhase.Run) record.addedAtRunTime = true;
    checkAddition(watch, node, target, frame, state, subregions.length === 1);
    current = watch.move(current, target, place, subregions.length === 1);
  }
  return current;
}

/** The container that an expression certainly is. */
function containerOf(watch: Watch, container: ts.Expression, frame: Frame): Container | undefined {
  if (isSystemMemory(watch, container, frame)) return "system";
  const [holder, ...others] = watch.targets.of(container, frame);
  const isKnown = others.length === 0 && watch.targets.isOnly(container, frame);
  return isKnown && holder !== undefined && isOwnRegion(holder) ? holder.index : undefined;
}

/** A field of an object that is given as one of the device's own class: it is no less the device than another. */
function isOfSameClass(watch: Watch, container: ts.Expression): boolean {
  const object = accessOf(strip(container))?.object;
  const name = object && strip(object);
  if (name === undefined || !ts.isIdentifier(name)) return false;
  const declaration = watch.program.declarationOf(name);
  if (declaration === undefined || !ts.isParameter(declaration)) return false;
  const type = watch.program.checker.getTypeAtLocation(name).symbol?.declarations ?? [];
  return type.some((each) => watch.shape.chain.some((holder) => holder === each));
}

/** Reports what a loop does to a region that its list has more than once. */
export function reportTwice(
  watch: Watch,
  rule: Rule,
  node: ts.CallExpression,
  region: ts.Expression,
  frame: Frame,
): void {
  const target = metTwice(watch, region, frame);
  if (target !== undefined && !isGuarded(watch, node, frame)) watch.report(rule, node, target);
}

/** A region is in one container at a time. */
function checkAddition(
  watch: Watch,
  node: ts.CallExpression,
  target: Target,
  frame: Frame,
  state: DeviceState,
  certain: boolean,
): void {
  if (target.many || !certain || !isOwnRegion(target)) return;
  const before = watch.place(state, target);
  const inside = Place.Own | Place.Foreign;
  if ((before & inside) === 0 || isGuarded(watch, node, frame)) return;
  if ((before & ~inside) === 0 && watch.phase !== LifePhase.Run) {
    watch.report(Rule.AddedTwice, node, target);
  } else if (mayRepeat(watch, frame)) watch.recordOf(target).repeatedAdditions.push(node);
}

function isSystemMemory(watch: Watch, container: ts.Expression, frame: Frame): boolean {
  return watch.callees.sources.of(container, frame).some((source) => {
    if (source.kind !== "expression") return false;
    const name = accessOf(source.node)?.name ?? source.node.getText();
    return name === "systemMemory";
  });
}

/** `container.delSubregion(region)`. */
export function remove(
  watch: Watch,
  node: ts.CallExpression,
  container: ts.Expression,
  frame: Frame,
  state: DeviceState,
): DeviceState {
  const [region] = node.arguments;
  if (region === undefined) return state;
  const targets = watch.targets.of(region, frame);
  if (targets.length === 0 && watch.isTearDown && isParameter(watch, region)) watch.removesUnknown = true;
  reportTwice(watch, Rule.DeletedTwice, node, region, frame);
  let current: DeviceState = { ...state, quiet: false };
  for (const target of targets) {
    const record = watch.recordOf(target);
    if (watch.isTearDown)
      record.leaving.push(elementsOf(watch.program, region, countOf(watch.program, target.node)));
    if (watch.isTearDown) record.releasedInTearDown = true;
    if (watch.phase === LifePhase.Run) record.removedAtRunTime = true;
    const left = containerOf(watch, container, frame);
    if (left !== undefined && targets.length === 1 && !asksContainer(node))
      record.leaves.push({ node, container: left });
    record.released = true;
    const before = watch.place(state, target);
    const everAdded = Place.Own | Place.Foreign | Place.Window | Place.Removed | Place.Gone;
    if (watch.phase === LifePhase.Abandoned && (before & everAdded) === 0 && !isGuarded(watch, node, frame))
      watch.report(Rule.RemovedNeverAdded, node, target);
    if ((before & Place.Removed) !== 0 && targets.length === 1 && !target.many) {
      if (before === Place.Removed) watch.report(Rule.DeletedTwice, node, target);
      else if (!isGuarded(watch, node, frame) && isSecond(watch, record, node, frame))
        record.lateRemovals.push(node);
    }
    if (!record.removals.includes(node)) record.removals.push(node);
    current = watch.move(current, target, Place.Removed, targets.length === 1);
  }
  return current;
}

/** True in a function that asks regions where they are. */
function asksContainer(node: ts.Node): boolean {
  return functionAround(node)?.getText().includes(".container") === true;
}

/** True for what a closure that was kept has been given: it may be any region. */
function isParameter(watch: Watch, region: ts.Expression): boolean {
  const name = strip(region);
  const declaration = ts.isIdentifier(name) ? watch.program.declarationOf(name) : undefined;
  return declaration !== undefined && ts.isParameter(declaration);
}

/** True if another statement removes it, too, or if this one may run again: at each reset, by a public method. */
function isSecond(watch: Watch, { removals }: Record, node: ts.Node, frame: Frame): boolean {
  return removals.some((each) => each !== node) || entryName(frame) === "reset" || mayRepeat(watch, frame);
}

/** `this.initMmio(region)`: the board may map it from now on. */
export function declareWindow(
  watch: Watch,
  node: ts.CallExpression,
  frame: Frame,
  state: DeviceState,
): DeviceState {
  const [region] = node.arguments;
  if (region !== undefined)
    for (const target of watch.targets.of(region, frame)) {
      const record = watch.recordOf(target);
      record.exposed = true;
      record.isWindow = true;
    }
  return watch.withWindowsUnmapped(state, false);
}

/** `this.mapMmio(index, address)`, by the device itself, or by the parent of a child device. */
export function mapWindow(
  watch: Watch,
  node: ts.CallExpression,
  object: ts.Expression,
  frame: Frame,
  state: DeviceState,
): DeviceState {
  const targets = windowsOf(watch, node, object, frame);
  let current = watch.withWindowsUnmapped(state, false);
  for (const target of targets) {
    watch.recordOf(target).mappings.push({ node, isSystem: true, elements: "all" });
    current = watch.move(current, target, Place.Window, targets.length === 1);
  }
  return current;
}

/** `unmapMmio(index)` and `unmapAll()`: only what `mapMmio` has mapped. */
export function unmapWindows(
  watch: Watch,
  node: ts.CallExpression,
  object: ts.Expression,
  frame: Frame,
  state: DeviceState,
): DeviceState {
  let current = watch.withWindowsUnmapped(state, true);
  const all = accessOf(strip(node.expression))?.name === "unmapAll";
  const onDevice = watch.callees.sources.of(object, frame).some(({ kind }) => kind === "device");
  const targets = all && onDevice ? watch.windows() : windowsOf(watch, node, object, frame);
  for (const target of targets) {
    const place = watch.place(current, target);
    if ((place & Place.Window) === 0) continue;
    const record = watch.recordOf(target);
    if (watch.isTearDown && record.mappings.every(({ node: how }) => isMapMmio(how)))
      record.releasedInTearDown = true;
    current = watch.states.withPlace(current, target.index, (place & ~Place.Window) | Place.Removed);
  }
  return current;
}

function isMapMmio(node: ts.Node): boolean {
  return ts.isCallExpression(node) && accessOf(strip(node.expression))?.name === "mapMmio";
}

function windowsOf(
  watch: Watch,
  node: ts.CallExpression,
  object: ts.Expression,
  frame: Frame,
): readonly Target[] {
  if (watch.callees.sources.of(object, frame).some(({ kind }) => kind === "device"))
    return watch.windows(node.arguments[0]);
  const child = watch.targets.childOf(object, frame);
  return child === undefined ? [] : watch.targets.windowOfChild(child, node.arguments[0]);
}
