/** Creation of regions, address spaces and objects: by whom, for whom, and whether again. */
import { ts } from "ts-morph";
import { accessOf, type Frame, LifePhase, strip } from "../flow/index.ts";
import { type RegionConstructor, Shape } from "../regions/constructors.ts";
import type { Record } from "./record.ts";
import { isGuarded, isRepeatedByModel, mayRepeat } from "./repetition.ts";
import { Rule } from "./rules.ts";
import { type DeviceState, Place, STANDING } from "./state.ts";
import { isOwnRegion, makerOf, type Target } from "./targets.ts";
import type { Watch } from "./watch.ts";

/** An expression that makes something by itself: `MemoryRegion.new…`, `create`, `allocate`, `new AddressSpace`, `map`. */
export function creationByCall(
  watch: Watch,
  node: ts.CallExpression | ts.NewExpression,
  frame: Frame,
  state: DeviceState,
): DeviceState {
  const target = watch.targets.made(node);
  if (target === undefined) return state;
  const maker = makerOf(node);
  if (target.kind === "owned" && maker !== undefined && ts.isCallExpression(node))
    return create(watch, node, [target], maker, frame, state);
  if (target.kind === "space") return openSpace(watch, node, target, frame, state);
  watch.recordOf(target);
  if (target.kind === "embedded") return state;
  if (target.kind === "allocated" || target.kind === "constructed")
    return watch.states.withPlace(state, target.index, Place.Absent); // new storage each time
  return watch.move(state, target, Place.Free, true);
}

/** `this.initializeChild(name, region)` and `model.initialize(region)`: `init…` would initialise it once more. */
export function initialise(
  watch: Watch,
  node: ts.CallExpression,
  frame: Frame,
  state: DeviceState,
): DeviceState {
  let current = state;
  const region = node.arguments.at(-1);
  if (region === undefined) return state;
  const targets = watch.targets.of(region, frame);
  for (const target of targets)
    if (isOwnRegion(target)) current = watch.move(current, target, Place.Free, targets.length === 1);
  return current;
}

/** `region.init…(…)` and `MemoryRegion.new…(…)`. */
export function create(
  watch: Watch,
  node: ts.CallExpression,
  targets: readonly Target[],
  maker: RegionConstructor,
  frame: Frame,
  state: DeviceState,
): DeviceState {
  let current = state;
  const certain = targets.length === 1;
  for (const target of targets) {
    if (!isOwnRegion(target)) continue;
    const record = watch.recordOf(target);
    checkOwner(watch, node, target, record, frame, maker);
    if (watch.phase === LifePhase.Construct) watch.report(Rule.CreatedTooEarly, node, target);
    if (!checkForm(watch, node, target, maker)) checkAgain(watch, node, target, record, frame, current);
    record.creations.push({ node, phase: watch.phase, shape: maker.shape });
    if (maker.shape === Shape.Alias) checkAlias(watch, node, target, record, frame, current);
    current = watch.move(current, target, Place.Free, certain);
  }
  return current;
}

function openSpace(
  watch: Watch,
  node: ts.CallExpression | ts.NewExpression,
  space: Target,
  frame: Frame,
  state: DeviceState,
): DeviceState {
  const root = node.arguments?.[1];
  const { unparentedAtRunTime } = watch.recordOf(space);
  const stands = (watch.place(state, space) & Place.Free) !== 0 && !unparentedAtRunTime;
  if (watch.kind.isDevice && stands && mayRepeat(watch, frame) && !isGuarded(watch, node, frame))
    watch.report(Rule.SpaceNeverDestroyed, node, space);
  if (root !== undefined)
    for (const each of watch.targets.of(root, frame)) {
      watch.use(each, root, state);
      const record = watch.recordOf(each);
      record.exposed = true;
      if (!record.spaces.includes(space)) record.spaces.push(space);
    }
  return watch.move(state, space, Place.Free, true);
}

/** `init…` is for storage that QOM did not allocate. Returns whether it was reported. */
function checkForm(watch: Watch, node: ts.CallExpression, target: Target, maker: RegionConstructor): boolean {
  const inPlace = accessOf(strip(node.expression))?.name === maker.init;
  if (!inPlace || (target.kind !== "owned" && target.kind !== "created")) return false;
  watch.report(Rule.InitOnOwned, node, target, [{ node: target.node, text: "QOM allocated it here" }]);
  return true;
}

function checkOwner(
  watch: Watch,
  node: ts.CallExpression,
  target: Target,
  record: Record,
  frame: Frame,
  maker: RegionConstructor,
): void {
  const [owner] = node.arguments;
  if (owner === undefined || ts.isSpreadElement(owner)) return;
  record.owner = ownerOf(watch, owner, target, frame);
  if (record.owner === "itself") watch.report(Rule.SelfOwner, node, target);
  if (!watch.kind.isDevice) return;
  if (record.owner === "none") watch.report(Rule.OwnerNone, node, target);
  const inPlace = target.kind !== "owned";
  if (record.owner === "child" && inPlace) watch.report(Rule.OwnerForeign, node, target);
  const isOther = record.owner === "foreign" || record.owner === "region";
  if (isOther && (inPlace || servesDevice(watch, node, maker, frame)))
    watch.report(Rule.OwnerForeign, node, target);
}

function ownerOf(watch: Watch, owner: ts.Expression, target: Target, frame: Frame): Record["owner"] {
  const bare = strip(owner);
  const sources = watch.callees.sources.of(bare, frame);
  const held = sources.flatMap((each) =>
    each.kind === "field" ? watch.callees.sources.contents(each) : each,
  );
  if (held.some(({ kind }) => kind === "device")) return "device";
  if (watch.targets.of(bare, frame).some(({ index }) => index === target.index)) return "itself";
  if (watch.targets.of(bare, frame).some(isOwnRegion)) return "region";
  if (watch.targets.childOf(bare, frame) !== undefined) return "child";
  const [source, ...more] = sources;
  if (source === undefined || more.length > 0) return "unknown";
  const end = source.kind === "expression" ? source.node : bare;
  const access = ts.isExpression(end) ? accessOf(end) : undefined;
  const name = access?.name ?? (ts.isIdentifier(end) ? end.text : undefined);
  if (name === "noOwner" || name === "undefined" || end.kind === ts.SyntaxKind.NullKeyword) return "none";
  if (source.kind === "field") return isObject(watch, bare) ? "foreign" : "unknown";
  return access !== undefined || ts.isCallExpression(end) ? "foreign" : "unknown";
}

/** True for a value that is an object of its own: a peer, a bus. */
function isObject(watch: Watch, node: ts.Expression): boolean {
  const { checker } = watch.program;
  return checker.getNonNullableType(checker.getTypeAtLocation(node)).getProperty("refCount") !== undefined;
}

/** True if the callbacks of the region are given the device. */
function servesDevice(
  watch: Watch,
  node: ts.CallExpression,
  maker: RegionConstructor,
  frame: Frame,
): boolean {
  if (maker.shape !== Shape.Io && maker.shape !== Shape.RomDevice) return false;
  const opaque = node.arguments[2];
  return (
    opaque !== undefined && watch.callees.sources.of(opaque, frame).some(({ kind }) => kind !== "expression")
  );
}

/** The same region created while it stands, or one more in a field that still refers to the one before. */
function checkAgain(
  watch: Watch,
  node: ts.CallExpression,
  target: Target,
  record: Record,
  frame: Frame,
  state: DeviceState,
): void {
  if (target.kind === "owned" && !isKept(watch, node, frame) && !isRepeatedByModel(watch, frame)) return;
  const place = watch.place(state, target);
  const earlier = record.creations.find((each) => each.node !== node) ?? record.creations[0];
  const related =
    earlier === undefined || earlier.node === node
      ? []
      : [{ node: earlier.node, text: "created here before" }];
  const standsForSure = (place & STANDING) !== 0 && (place & ~STANDING) === 0 && !target.many;
  if (standsForSure) {
    watch.report(Rule.CreatedAgain, node, target, related);
    return;
  }
  if (!watch.kind.isDevice || isGuarded(watch, node, frame)) return;
  const mayStand = target.many
    ? record.creations.some(({ phase, node: other }) => phase !== watch.phase && other !== node)
    : (place & STANDING) !== 0;
  if (mayStand && !record.unparentedAtRunTime && mayRepeat(watch, frame)) {
    watch.report(Rule.CreatedAgain, node, target, related);
    return;
  }
  if (target.kind === "embedded" && !target.many && (place & STANDING) !== 0 && isInLoop(node))
    watch.report(Rule.CreatedAgain, node, target, related);
}

/** True for a statement that a loop of its own method repeats, and does not leave after it. */
function isInLoop(node: ts.Node): boolean {
  for (let each: ts.Node = node; each.parent !== undefined && !ts.isFunctionLike(each); each = each.parent)
    if (ts.isIterationStatement(each, false)) return true;
  return false;
}

/** True for `this.field = MemoryRegion.new…(…)`, or the same by way of a local. */
export function isKept(watch: Watch, node: ts.Node, frame: Frame): boolean {
  const onDevice = (target: ts.Expression): boolean => {
    const access = accessOf(strip(target));
    if (access === undefined) return false;
    const holders = watch.callees.sources.of(access.object, frame);
    return holders.some(({ kind }) => kind === "device" || kind === "field");
  };
  let value: ts.Node = node;
  while (
    ts.isParenthesizedExpression(value.parent) ||
    ts.isAsExpression(value.parent) ||
    ts.isNonNullExpression(value.parent)
  )
    value = value.parent;
  const { parent } = value;
  if (ts.isBinaryExpression(parent) && parent.right === value) return onDevice(parent.left);
  if (!ts.isVariableDeclaration(parent) || !ts.isIdentifier(parent.name)) return false;
  const name = parent.name.text;
  let kept = false;
  const visit = (each: ts.Node): void => {
    if (ts.isBinaryExpression(each) && each.operatorToken.kind === ts.SyntaxKind.EqualsToken) {
      const right = strip(each.right);
      if (ts.isIdentifier(right) && right.text === name && onDevice(each.left)) kept = true;
    }
    ts.forEachChild(each, visit);
  };
  visit(parent.parent.parent.parent);
  return kept;
}

/** Position of the region that an alias shows, among the arguments of its constructors. */
export const SHOWN = 2;

/** What an alias shows must not go before it. */
function checkAlias(
  watch: Watch,
  node: ts.CallExpression,
  alias: Target,
  record: Record,
  frame: Frame,
  state: DeviceState,
): void {
  const shown = node.arguments[SHOWN];
  if (shown === undefined || ts.isSpreadElement(shown)) return;
  const targets = watch.targets.of(shown, frame);
  const [only, ...others] = targets;
  if (only !== undefined && others.length === 0 && watch.isGone(only, state))
    watch.report(Rule.AliasOfUnparented, node, alias, [{ node: only.node, text: "its target" }]);
  for (const target of targets) if (!record.shows.includes(target)) record.shows.push(target);
  if (watch.kind.isMachine) return;
  const outlives = record.owner === "none" || record.owner === "foreign";
  if (outlives && targets.some(isOwnRegion)) watch.report(Rule.AliasOutlivesTarget, node, alias);
  if (targets.length === 0 && isOfPeer(watch, shown, frame))
    watch.report(Rule.AliasOutlivesTarget, node, alias);
}

/** `this.peer.mmioRegion(0)`, `this.peer.window`: a region of a device that this one did not make. */
function isOfPeer(watch: Watch, node: ts.Expression, frame: Frame): boolean {
  for (const source of watch.callees.sources.of(node, frame)) {
    if (source.kind !== "expression") continue;
    const access = ts.isCallExpression(source.node)
      ? accessOf(strip(source.node.expression))
      : accessOf(source.node);
    if (access === undefined) continue;
    const [holder] = watch.callees.sources.of(access.object, source.frame);
    if (holder?.kind === "field" && isObject(watch, access.object) && !watch.isRegion(access.object))
      return true;
  }
  return false;
}
