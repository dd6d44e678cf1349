/** Object model: types, reference counts, the composition tree, and the ledger of the modelled heap. */
export { Container } from "./container.ts";
export {
  FinalizedInView,
  HarmlessRead,
  LifetimeError,
  Overwritten,
  QomAbort,
  QomError,
  UseAfterEnd,
  UseAfterFinalize,
  UseAfterFree,
  UseBeforeInit,
} from "./errors.ts";
export { Block, type HeapUsage, HostHeap, type Leak, type TypeUsage } from "./host-heap.ts";
export { MinHeap } from "./min-heap.ts";
export { ObjectState, QomObject, type QomType, type Storage } from "./object.ts";
export { ObjectModel, type ObjectModelOptions } from "./object-model.ts";
export type { ClassProperty, PropertyValue } from "./property.ts";
export { TypeRegistry } from "./type-registry.ts";
export { type DetectionMode, UseDetector } from "./use-detector.ts";
