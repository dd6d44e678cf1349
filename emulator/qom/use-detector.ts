import {
  HarmlessRead,
  type LifetimeError,
  type UseAfterEnd,
  UseAfterFinalize,
  UseAfterFree,
} from "./errors.ts";
import { callerStack } from "./host-heap.ts";
import { bookkeepingFields, type QomObject } from "./object.ts";

/** What happens on a detected use: `throw` stops at the first, `count` records it and lets the stale value through. */
export type DetectionMode = "throw" | "count";

interface End {
  readonly typeName: string;
  /** Values of the fields, which the traps let through. */
  readonly fields: Map<string, unknown>;
  finalizedAt: string;
  freedAt: string;
}

/**
 * Checked mode: detects every use of an object after its end.
 *
 * When an object is finalized, its fields are replaced by traps that keep the value; once its block is freed, the same
 * traps report a use after free. Live objects are never altered, so the checks cost live code nothing. What is not an
 * object of the object model, such as a flat view, gets the same traps when it is freed.
 */
export class UseDetector {
  /** What was detected so far, in order, including what was thrown in `throw` mode. */
  readonly found: LifetimeError[] = [];
  /** Reads of ended objects that are defined in C; never thrown. */
  readonly harmless: HarmlessRead[] = [];
  private readonly mode: DetectionMode;
  private readonly ends = new WeakMap<object, End>();

  constructor(mode: DetectionMode) {
    this.mode = mode;
  }

  /** Sets the traps, after the finalizers of `object` have run. */
  finalized(object: QomObject): void {
    this.trap(object, object.qomType.typeName, bookkeepingFields);
  }

  /** Notes that the block that holds `object` has been freed. */
  freed(object: QomObject): void {
    if (!this.ends.has(object)) this.finalized(object);
    const end = this.ends.get(object);
    if (end !== undefined) end.freedAt = callerStack();
  }

  /** Sets traps in something that is freed without being an object of the object model. */
  freedPlain(thing: object, typeName: string): void {
    if (!this.ends.has(thing)) this.trap(thing, typeName, new Set());
    const end = this.ends.get(thing);
    if (end !== undefined) end.freedAt = callerStack();
  }

  /** Removes the traps: the storage, which may be embedded, is about to be initialised again. */
  revived(object: object): void {
    const end = this.ends.get(object);
    if (end === undefined) return;
    this.ends.delete(object);
    for (const field of end.fields.keys()) {
      Object.defineProperty(object, field, {
        configurable: true,
        enumerable: true,
        writable: true,
        value: undefined,
      });
    }
  }

  /** Whether `object` is finalized but its storage still stands. */
  stands(object: object): boolean {
    return this.ends.get(object)?.freedAt === "";
  }

  /** The value of a field of an ended object, without a report. */
  peek(object: object, field: string): unknown {
    return this.ends.get(object)?.fields.get(field);
  }

  /** Records a use of `object` after its end. @throws UseAfterFinalize or UseAfterFree in `throw` mode. */
  report(object: QomObject, touched: string): void {
    this.reportUse(object, object.qomType.typeName, touched);
  }

  /** Records a read of a field that finalization left as it was, in storage that still stands. Never throws. */
  reportHarmless(object: QomObject, touched: string): void {
    const finalizedAt = this.ends.get(object)?.finalizedAt ?? "";
    const { typeName } = object.qomType;
    this.harmless.push(
      new HarmlessRead(
        `${touched} of a ${typeName} was read after the object was finalized, which left it unchanged; finalized at:\n${finalizedAt}\nread at:`,
        typeName,
        touched,
        object,
        finalizedAt,
      ),
    );
  }

  /** Records any other mistake. @throws `error` in `throw` mode. */
  record(error: LifetimeError): void {
    this.found.push(error);
    if (this.mode === "throw") throw error;
  }

  private trap(object: object, typeName: string, exempt: ReadonlySet<string>): void {
    const values = object as Record<string, unknown>; // every field gets a trap, whatever its type
    const fields = new Map<string, unknown>();
    this.ends.set(object, { typeName, fields, finalizedAt: callerStack(), freedAt: "" });
    for (const field of Object.keys(object)) {
      if (exempt.has(field)) continue;
      fields.set(field, values[field]);
      Object.defineProperty(object, field, {
        configurable: true,
        enumerable: true,
        get: () => {
          this.reportUse(object, typeName, `field ${field}`);
          return fields.get(field);
        },
        set: (value: unknown) => {
          this.reportUse(object, typeName, `field ${field}`);
          fields.set(field, value);
        },
      });
    }
  }

  private reportUse(object: object, typeName: string, touched: string): void {
    const end = this.ends.get(object);
    const error: UseAfterEnd =
      end !== undefined && end.freedAt === ""
        ? new UseAfterFinalize(
            `${touched} of a ${typeName} was used after the object was finalized; finalized at:\n${end.finalizedAt}\nused at:`,
            typeName,
            touched,
            object,
            end.finalizedAt,
          )
        : new UseAfterFree(
            `${touched} of a ${typeName} was used after its storage was freed; freed at:\n${end?.freedAt}\nused at:`,
            typeName,
            touched,
            object,
            end?.freedAt ?? "",
          );
    this.record(error);
  }
}
