/** References that are taken and dropped by hand. */
import type { ts } from "ts-morph";
import { accessOf, type Frame, strip } from "../flow/index.ts";
import { Rule } from "./rules.ts";
import type { DeviceState } from "./state.ts";
import { isOwnRegion } from "./targets.ts";
import type { Watch } from "./watch.ts";

/** `ref` and `takeRef` calls of one device and what answers them. */
export class References {
  readonly taken = new Map<string, ts.CallExpression>();
  readonly dropped = new Map<string, ts.CallExpression>();
  /** Drops by way of a value that could not be followed: they may answer any. */
  unknownDrops = 0;

  take(key: string, node: ts.CallExpression): void {
    if (!this.taken.has(key)) this.taken.set(key, node);
  }

  drop(key: string, node: ts.CallExpression): void {
    if (!this.dropped.has(key)) this.dropped.set(key, node);
  }

  /** References that nothing gives back. */
  get kept(): readonly ts.CallExpression[] {
    if (this.unknownDrops > 0) return [];
    return [...this.taken].filter(([key]) => !this.dropped.has(key)).map(([, node]) => node);
  }
}

/** `object.ref()`, `region.takeRef()`. */
export function takeReference(
  watch: Watch,
  node: ts.CallExpression,
  object: ts.Expression,
  frame: Frame,
  state: DeviceState,
): DeviceState {
  const keys = keysOf(watch, object, frame);
  for (const key of keys ?? []) watch.references.take(`${key} ${isOnRegion(node)}`, node);
  for (const target of watch.targets.of(object, frame)) watch.use(target, node, state);
  return state;
}

/** `object.unref()`, `region.dropRef()`. */
export function dropReference(
  watch: Watch,
  node: ts.CallExpression,
  object: ts.Expression,
  frame: Frame,
  state: DeviceState,
): DeviceState {
  const keys = keysOf(watch, object, frame);
  if (keys === undefined) watch.references.unknownDrops++;
  for (const key of keys ?? []) watch.references.drop(`${key} ${isOnRegion(node)}`, node);
  for (const target of watch.targets.of(object, frame)) {
    watch.recordOf(target).released = true;
    if (isOwnRegion(target)) watch.use(target, node, state);
    const borrowed = target.kind === "owned" || target.kind === "embedded" || target.kind === "allocated";
    if (borrowed && !target.many)
      watch.borrowed.push({ node, target, key: `${keys?.[0] ?? ""} ${isOnRegion(node)}` });
  }
  return state;
}

/** Reports what is left when the whole life has been walked. */
export function checkReferences(watch: Watch): void {
  const { references } = watch;
  if (watch.kind.isDevice)
    for (const node of references.kept) watch.report(Rule.ReferenceKept, node, undefined);
  for (const { node, target, key } of watch.borrowed)
    if (!references.taken.has(key)) watch.report(Rule.ReferenceBorrowed, node, target);
}

/** A region's `takeRef` counts on its owner; `ref` on the object itself. */
function isOnRegion(node: ts.CallExpression): "owner" | "object" {
  const name = accessOf(strip(node.expression))?.name ?? "";
  return name === "takeRef" || name === "dropRef" ? "owner" : "object";
}

/** What the reference is on; undefined if that cannot be told from others. */
function keysOf(watch: Watch, object: ts.Expression, frame: Frame): readonly string[] | undefined {
  const targets = watch.targets.of(object, frame);
  if (targets.length > 0) return targets.map(({ index }) => `target ${index}`);
  const keys: string[] = [];
  for (const source of watch.callees.sources.of(object, frame)) {
    if (source.kind === "device") keys.push("device");
    else if (source.kind === "field") keys.push(`field ${source.name}`);
    else if (source.kind === "expression") {
      const access = accessOf(source.node);
      if (access === undefined) return undefined;
      keys.push(source.node.getText().replace(/^this\./, ""));
    } else return undefined;
  }
  return keys;
}
