/** A violated rule of the object model or the memory core, where QEMU would fail an assertion or abort. */
export class QomAbort extends Error {
  override readonly name: string = "QomAbort";
}

/** An error whose cause lies outside the model: a name that does not exist, memory that cannot be allocated. */
export class QomError extends Error {
  override readonly name: string = "QomError";
}

/** A mistake in the life of an object, found in checked mode. */
export abstract class LifetimeError extends Error {
  readonly typeName: string;
  /** What was used: a field or an operation. */
  readonly touched: string;
  private readonly reference: WeakRef<object>;

  constructor(message: string, typeName: string, touched: string, subject: object) {
    super(message);
    this.typeName = typeName;
    this.touched = touched;
    this.reference = new WeakRef(subject);
  }

  /** What the mistake was made with, unless it has been collected since. */
  get subject(): object | undefined {
    return this.reference.deref();
  }
}

/** Storage was used before it was initialised. */
export class UseBeforeInit extends LifetimeError {
  override readonly name = "UseBeforeInit";
}

/** Storage was initialised again while something elsewhere still counted on the object in it. */
export class Overwritten extends LifetimeError {
  override readonly name = "Overwritten";
}

/** A region was finalized while a flat view still showed it. */
export class FinalizedInView extends LifetimeError {
  override readonly name = "FinalizedInView";
}

/** Base of the uses of an object after its end; `retiredAt` is the stack trace of that end. */
export abstract class UseAfterEnd extends LifetimeError {
  readonly retiredAt: string;

  constructor(message: string, typeName: string, touched: string, subject: object, retiredAt: string) {
    super(message, typeName, touched, subject);
    this.retiredAt = retiredAt;
  }
}

/**
 * A field that finalization leaves as it is was read while the storage still stood. Defined behaviour in C, unlike the
 * same read after the storage was freed.
 */
export class HarmlessRead extends UseAfterEnd {
  override readonly name = "HarmlessRead";
}

/** An object was used after its finalizers ran but before its storage was freed (mostly embedded objects). */
export class UseAfterFinalize extends UseAfterEnd {
  override readonly name = "UseAfterFinalize";
}

/** An object was used after the block that holds it was freed: in C, an access to freed memory. */
export class UseAfterFree extends UseAfterEnd {
  override readonly name = "UseAfterFree";
}
