/** What must have been given back when `unrealize` returns, and what the whole life tells. */
import { ts } from "ts-morph";
import { accessOf, LifePhase, nameOf, strip } from "../flow/index.ts";
import { isKept } from "./creation.ts";
import { countOf, leavesSome } from "./elements.ts";
import type { Record } from "./record.ts";
import { checkReferences } from "./references.ts";
import { isGuarded } from "./repetition.ts";
import { Rule } from "./rules.ts";
import { type DeviceState, HELD, Place } from "./state.ts";
import { isOwnRegion } from "./targets.ts";
import type { Watch } from "./watch.ts";

/** At the end of a tear-down in which every hook returned. */
export function checkTornDown(watch: Watch, state: DeviceState): void {
  if (!watch.kind.isDevice || state.unreachable) return;
  for (const record of watch.seen) {
    const { target } = record;
    const place = watch.place(state, target);
    if (target.kind === "space") {
      const open = (place & Place.Free) !== 0;
      if (open && (!record.releasedInTearDown || place === Place.Free))
        watch.report(Rule.SpaceNeverDestroyed, target.node, target);
      continue;
    }
    const [mapping] = record.mappings;
    if (mapping === undefined || (place & HELD) === 0 || !countsOnDevice(record)) continue;
    const forSure = (place & ~HELD) === 0 && !target.many;
    if ((record.releasedInTearDown && !forSure && !isLeftInPart(watch, record)) || watch.removesUnknown)
      continue;
    const rule = mapping.isSystem ? Rule.NeverUnmapped : Rule.ForeignContainer;
    watch.report(rule, mapping.node, target);
  }
}

/** An array of which some elements stay where they were added. */
function isLeftInPart({ program }: Watch, { target, mappings, leaving }: Record): boolean {
  const added = mappings.map(({ elements }) => elements);
  return leaving.length > 0 && leavesSome(added, leaving, countOf(program, target.node));
}

/** When realize has failed, and the device has left the tree. */
export function checkFailed(watch: Watch, state: DeviceState): void {
  if (!watch.kind.isDevice || watch.kind.isMachine || state.unreachable) return;
  for (const record of watch.seen) {
    const [mapping] = record.mappings;
    const held = (watch.place(state, record.target) & HELD) !== 0;
    if (mapping !== undefined && held && !record.target.many && countsOnDevice(record))
      watch.report(Rule.MappedInFailure, mapping.node, record.target);
  }
}

/** References to the region are counted on its owner: the device, one of its children, or another object. */
function countsOnDevice({ owner }: Record): boolean {
  return owner !== "none";
}

/** When the whole life has been walked. */
export function checkLife(watch: Watch): void {
  checkReferences(watch);
  if (watch.kind.isDevice) watch.timers.check(watch);
  for (const record of watch.seen) {
    const { target } = record;
    if (target.kind === "mapping" && !record.released && !escapes(target.node) && watch.kind.isDevice)
      watch.report(Rule.ReferenceKept, target.node, target);
    if (target.kind === "object" && !record.released && watch.kind.isDevice) checkObject(watch, record);
    if (!isOwnRegion(target)) continue;
    if (!record.addedAtRunTime)
      for (const removal of record.lateRemovals) watch.report(Rule.DeletedTwice, removal, target);
    const [addition] = record.repeatedAdditions;
    // A device that also removes it leaves it to its callers to alternate.
    if (addition !== undefined && !record.removedAtRunTime) watch.report(Rule.AddedTwice, addition, target);
    checkContainers(watch, record);
    checkRealize(watch, record);
    checkUse(watch, record);
  }
  checkForms(watch);
}

/** Removed from a container that it is never added to, though it is known what it is added to. */
function checkContainers(watch: Watch, { target, containers, leaves, isWindow }: Record): void {
  if (isWindow || containers.size === 0 || containers.has(undefined) || watch.hasUnknowns) return;
  for (const { node, container } of leaves)
    if (!containers.has(container)) watch.report(Rule.WrongContainer, node, target);
}

/** `create` leaves a reference with the caller. `plug` takes it over only from an object without a parent. */
function checkObject(watch: Watch, { target, exposed }: Record): void {
  if (!exposed) return; // not known to have got a parent
  const added = watch.childrenAdded.has(target.index);
  if (added) watch.report(Rule.ReferenceKept, target.node, target);
}

/** Mappings that leave the function are somebody else's to unmap. */
function escapes(node: ts.Node): boolean {
  let each: ts.Node = node;
  while (ts.isParenthesizedExpression(each.parent) || ts.isNonNullExpression(each.parent)) each = each.parent;
  const { parent } = each;
  if (ts.isExpressionStatement(parent)) return false;
  if (ts.isBinaryExpression(parent)) return accessOf(strip(parent.left)) === undefined;
  if (!ts.isVariableDeclaration(parent) || !ts.isIdentifier(parent.name)) return true;
  const name = parent.name.text;
  let passed = false;
  const visit = (inner: ts.Node): void => {
    if (ts.isIdentifier(inner) && inner.text === name && inner.parent !== parent) {
      const reads = ts.isPropertyAccessExpression(inner.parent) && inner.parent.expression === inner;
      const tests =
        ts.isBinaryExpression(inner.parent) ||
        ts.isPrefixUnaryExpression(inner.parent) ||
        ts.isIfStatement(inner.parent);
      if (!reads && !tests) passed = true;
    }
    ts.forEachChild(inner, visit);
  };
  visit(parent.parent.parent.parent);
  return passed;
}

/** An owned region in a field that each realize fills again, and nothing empties. */
function checkRealize(watch: Watch, record: Record): void {
  const { target, unparented } = record;
  if (target.kind !== "owned" || unparented || !watch.kind.isDevice) return;
  const creation = record.creations.find(({ phase }) => phase === LifePhase.Realize);
  if (creation === undefined || record.owner !== "device") return;
  const { node } = creation;
  if (!isKept(watch, node, watch.callees.top) || isGuarded(watch, node, watch.callees.top)) return;
  if (watch.callers.realizesOnce(watch.shape.declaration)) return;
  watch.report(Rule.CreatedAtEachRealize, node, target);
}

/** Regions that only the class can name, and that it never names after creating them. */
function checkUse(watch: Watch, record: Record): void {
  const { target, used, exposed } = record;
  const [creation] = record.creations;
  if (used || exposed || watch.hasUnknowns || target.kind === "child") return;
  if ((creation === undefined && target.kind !== "embedded") || !isHidden(watch, target.node)) return;
  watch.report(
    Rule.NeverUsed,
    target.kind === "embedded" ? target.node : (creation?.node ?? target.node),
    target,
  );
}

/** True if nothing but the creation names the region: a private field without other mention, or a local without any. */
function isHidden(watch: Watch, node: ts.Node): boolean {
  let each: ts.Node = node;
  while (ts.isParenthesizedExpression(each.parent)) each = each.parent;
  const { parent } = each;
  if (ts.isExpressionStatement(parent)) return true;
  if (ts.isVariableDeclaration(parent) && ts.isIdentifier(parent.name))
    return mentions(parent.parent.parent.parent, parent.name.text) <= 1;
  const name = ts.isPropertyDeclaration(parent)
    ? nameOf(parent.name)
    : ts.isBinaryExpression(parent)
      ? accessOf(strip(parent.left))?.name
      : undefined;
  if (name === undefined) return false;
  const fields = watch.shape.fieldsNamed(name);
  const closed =
    fields.length > 0 && fields.every((field) => ts.isPrivateIdentifier(field.name) || isPrivateField(field));
  if (!closed) return false;
  return watch.shape.chain.every((holder) => !usesField(holder, name));
}

function isPrivateField(field: ts.Declaration): boolean {
  return (ts.getCombinedModifierFlags(field) & ts.ModifierFlags.Private) !== 0;
}

function mentions(scope: ts.Node, name: string): number {
  let count = 0;
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node.text === name) count++;
    ts.forEachChild(node, visit);
  };
  visit(scope);
  return count;
}

/** Names of fields that a class uses; long classes are asked for very many. */
const usedFields = new WeakMap<ts.Node, ReadonlySet<string>>();

/** True if a class accesses a field other than to create what it holds. */
function usesField(holder: ts.Node, name: string): boolean {
  let used = usedFields.get(holder);
  if (used === undefined) {
    used = usedFieldsOf(holder);
    usedFields.set(holder, used);
  }
  return used.has(name);
}

function usedFieldsOf(holder: ts.Node): Set<string> {
  const used = new Set<string>();
  const visit = (node: ts.Node): void => {
    const name = ts.isBindingElement(node) ? nameOf(node.propertyName ?? node.name) : accessOf(node)?.name;
    if (name !== undefined && !isCreation(node)) used.add(name);
    ts.forEachChild(node, visit);
  };
  visit(holder);
  return used;
}

function isCreation(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isBinaryExpression(parent) && parent.left === node) return true;
  if (!ts.isPropertyAccessExpression(parent) || !ts.isCallExpression(parent.parent)) return false;
  return /^init(?:[A-Z]\w*)?$/.test(parent.name.text) && parent.parent.expression === parent;
}

/** Both forms in one class. */
function checkForms(watch: Watch): void {
  const regions = [...watch.seen].filter(
    ({ target, creations }) => isOwnRegion(target) && creations.length > 0,
  );
  const embedded = regions.find(({ target }) => target.kind === "embedded");
  const owned = regions.find(({ target }) => target.kind === "owned");
  if (embedded === undefined || owned === undefined) return;
  watch.report(Rule.MixedForms, owned.target.node, owned.target, [
    { node: embedded.target.node, text: "this one is embedded" },
  ]);
}
