/** What the composition tree of a machine leads to. */
import type { DeviceModel } from "#qdev";
import { type Block, ObjectState, QomObject } from "#qom";

/** Whether a block holds a live object that can be reached from the root of the tree: it will be freed with its parent. */
export function isHeldByTree(model: DeviceModel, { tenants }: Block): boolean {
  return tenants.some(
    (tenant) => tenant instanceof QomObject && tenant.state === ObjectState.Live && isInTree(model, tenant),
  );
}

function isInTree(model: DeviceModel, object: QomObject): boolean {
  for (let at: QomObject | null = object; at !== null; at = at.parent) {
    if (at === model.root) return true;
  }
  return false;
}
