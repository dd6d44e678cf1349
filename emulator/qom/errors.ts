/** A broken rule of the object model or the memory core: where QEMU would assert or abort the process. */
export class QomAbort extends Error {
  override readonly name: string = "QomAbort";
}

/** Something outside the model went wrong: a name that does not exist, memory that cannot be had. */
export class QomError extends Error {
  override readonly name: string = "QomError";
}

/** Base of the two use-in-the-wrong-state errors; `retiredAt` is the stack of the moment that ended the object. */
export abstract class UseAfterEnd extends Error {
  readonly typeName: string;
  /** What was touched: a field name, or the operation. */
  readonly touched: string;
  readonly retiredAt: string;

  constructor(message: string, typeName: string, touched: string, retiredAt: string) {
    super(message);
    this.typeName = typeName;
    this.touched = touched;
    this.retiredAt = retiredAt;
  }
}

/** An object was touched after its finalizers ran while its storage still stood (embedded objects, mostly). */
export class UseAfterFinalize extends UseAfterEnd {
  override readonly name = "UseAfterFinalize";
}

/** An object was touched after the block that holds it was freed: in C, reading freed memory. */
export class UseAfterFree extends UseAfterEnd {
  override readonly name = "UseAfterFree";
}
