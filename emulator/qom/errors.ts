/** A violated rule of the object model or the memory core, where QEMU would fail an assertion or abort. */
export class QomAbort extends Error {
  override readonly name: string = "QomAbort";
}

/** An error whose cause lies outside the model: a name that does not exist, memory that cannot be allocated. */
export class QomError extends Error {
  override readonly name: string = "QomError";
}

/** Base of the two use-in-the-wrong-state errors; `retiredAt` is the stack trace of the end of the object. */
export abstract class UseAfterEnd extends Error {
  readonly typeName: string;
  /** What was used: a field or an operation. */
  readonly touched: string;
  readonly retiredAt: string;

  constructor(message: string, typeName: string, touched: string, retiredAt: string) {
    super(message);
    this.typeName = typeName;
    this.touched = touched;
    this.retiredAt = retiredAt;
  }
}

/** An object was used after its finalizers ran but before its storage was freed (mostly embedded objects). */
export class UseAfterFinalize extends UseAfterEnd {
  override readonly name = "UseAfterFinalize";
}

/** An object was used after the block that holds it was freed: in C, an access to freed memory. */
export class UseAfterFree extends UseAfterEnd {
  override readonly name = "UseAfterFree";
}
