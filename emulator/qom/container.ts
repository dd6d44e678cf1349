import { QomObject } from "./object.ts";

/** An object that only holds children. */
export class Container extends QomObject {
  static override readonly typeName = "container";
}
