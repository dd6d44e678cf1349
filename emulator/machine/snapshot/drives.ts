/**
 * Drives in a snapshot: their properties, and the overlays of those with `snapshot=on`, whose files are never written.
 * Data that was written to a file is in that file, not in the snapshot.
 */
import { CLUSTER_BYTES, OverlayDisk } from "#backends";
import { type DeviceModel, isFields, type Restore, type SavedFields, type SavedValue } from "#qdev";
import { QomError } from "#qom";
import type { Memories, SnapshotFile } from "./file.ts";

/** For each drive, by id: its size, whether it is read-only, and the numbers of the clusters in its overlay. */
export function saveDrives({ drives }: DeviceModel): SavedFields {
  return Object.fromEntries(
    [...drives].map(([id, disk]): [string, SavedValue] => [
      id,
      {
        bytes: disk.bytes,
        readOnly: disk.readOnly,
        overlay: disk instanceof OverlayDisk ? clusterNumbers(disk) : null,
      },
    ]),
  );
}

/** The contents of overlays, as memories of the snapshot. */
export function overlaysOf({ drives }: DeviceModel): Memories {
  const memories = new Map<string, Uint8Array>();
  for (const [id, disk] of drives) {
    if (!(disk instanceof OverlayDisk)) continue;
    const bytes = new Uint8Array(CLUSTER_BYTES * disk.written.size);
    for (const [i, number] of clusterNumbers(disk).entries())
      bytes.set(disk.written.get(number) ?? new Uint8Array(), CLUSTER_BYTES * i);
    memories.set(memoryName(id), bytes);
  }
  return memories;
}

/** How drives are restored. */
interface DrivesPlan {
  /** Memories to be filled from the snapshot. */
  readonly memories: Memories;
  /** Steps to take once they are filled. */
  readonly steps: readonly Restore[];
}

/** @throws QomError when these are not the drives that were saved */
export function planDrives({ drives }: DeviceModel, { state }: SnapshotFile): DrivesPlan {
  const { drives: saved } = state;
  if (!isFields(saved)) throw new QomError("no drives are in it");
  const unknown = Object.keys(saved).find((id) => !drives.has(id));
  if (unknown !== undefined) throw new QomError(`has a drive ${unknown} that this machine lacks`);
  const memories = new Map<string, Uint8Array>();
  const steps: Restore[] = [];
  for (const [id, disk] of drives) {
    const section = saved[id];
    if (!isFields(section)) throw new QomError(`lacks the drive ${id}`);
    const { bytes, readOnly, overlay = null } = section;
    if (bytes !== disk.bytes)
      throw new QomError(`drive ${id} had ${String(bytes)} bytes, its file now has ${disk.bytes}`);
    if (readOnly !== disk.readOnly)
      throw new QomError(`drive ${id} was ${readOnly === true ? "read only" : "writable"}`);
    if (overlay === null) continue;
    if (!isClusterList(overlay, disk.bytes)) throw new QomError(`the overlay of drive ${id} is damaged`);
    if (!(disk instanceof OverlayDisk))
      throw new QomError(`drive ${id} had snapshot=on, and its writes have no overlay here`);
    const content = new Uint8Array(CLUSTER_BYTES * overlay.length);
    memories.set(memoryName(id), content);
    steps.push(() => {
      disk.written = new Map(overlay.map((number, i) => [number, clusterAt(content, i, number, disk.bytes)]));
    });
  }
  return { memories, steps };
}

function clusterAt(content: Uint8Array, place: number, number: number, diskBytes: number): Uint8Array {
  const length = Math.min(CLUSTER_BYTES, diskBytes - number * CLUSTER_BYTES);
  return content.slice(place * CLUSTER_BYTES, place * CLUSTER_BYTES + length);
}

function clusterNumbers({ written }: OverlayDisk): number[] {
  return [...written.keys()].sort((a, b) => a - b);
}

function isClusterList(value: SavedValue, diskBytes: number): value is readonly number[] {
  if (!Array.isArray(value)) return false;
  return value.every(
    (number, i) =>
      Number.isSafeInteger(number) &&
      number >= 0 &&
      number * CLUSTER_BYTES < diskBytes &&
      !(number <= value[i - 1]),
  );
}

function memoryName(id: string): string {
  return `drive ${id}`;
}
