import { type UseAfterEnd, UseAfterFinalize, UseAfterFree } from "./errors.ts";
import { callerStack } from "./host-heap.ts";
import { bookkeepingFields, type QomObject } from "./object.ts";

/** What happens on a detected use: `throw` stops at the first, `count` records it and lets the stale value through. */
export type DetectionMode = "throw" | "count";

/**
 * Checked mode: detects every use of an object after its end.
 *
 * When an object is finalized, its fields are replaced by traps that keep the value; once its block is freed, the same
 * traps report a use after free. Live objects are never altered, so the checks cost live code nothing.
 */
export class UseDetector {
  /** Uses detected so far, in order, including those thrown in `throw` mode. */
  readonly found: UseAfterEnd[] = [];
  private readonly mode: DetectionMode;
  private readonly ends = new WeakMap<QomObject, { finalizedAt: string; freedAt: string }>();

  constructor(mode: DetectionMode) {
    this.mode = mode;
  }

  /** Sets the traps, after the finalizers of `object` have run. */
  finalized(object: QomObject): void {
    this.ends.set(object, { finalizedAt: callerStack(), freedAt: "" });
    const fields = object as unknown as Record<string, unknown>; // every field gets a trap, whatever its type
    for (const field of Object.keys(object)) {
      if (bookkeepingFields.has(field)) continue;
      let stale = fields[field];
      Object.defineProperty(object, field, {
        configurable: true,
        enumerable: true,
        get: () => {
          this.report(object, `field ${field}`);
          return stale;
        },
        set: (value: unknown) => {
          this.report(object, `field ${field}`);
          stale = value;
        },
      });
    }
  }

  /** Notes that the block that holds `object` has been freed. */
  freed(object: QomObject): void {
    const end = this.ends.get(object);
    if (end === undefined) {
      this.finalized(object);
      this.freed(object);
      return;
    }
    end.freedAt = callerStack();
  }

  /** Removes the traps: the storage, which may be embedded, is about to be initialised again. */
  revived(object: QomObject): void {
    if (!this.ends.delete(object)) return;
    for (const field of Object.keys(object)) {
      if (bookkeepingFields.has(field)) continue;
      Object.defineProperty(object, field, {
        configurable: true,
        enumerable: true,
        writable: true,
        value: undefined,
      });
    }
  }

  /** Records a use of `object` after its end. @throws UseAfterFinalize or UseAfterFree in `throw` mode. */
  report(object: QomObject, touched: string): void {
    const end = this.ends.get(object);
    const typeName = object.qomType.typeName;
    const error =
      end !== undefined && end.freedAt === ""
        ? new UseAfterFinalize(
            `${touched} of a ${typeName} was used after the object was finalized; finalized at:\n${end.finalizedAt}\nused at:`,
            typeName,
            touched,
            end.finalizedAt,
          )
        : new UseAfterFree(
            `${touched} of a ${typeName} was used after its storage was freed; freed at:\n${end?.freedAt}\nused at:`,
            typeName,
            touched,
            end?.freedAt ?? "",
          );
    this.found.push(error);
    if (this.mode === "throw") throw error;
  }
}
