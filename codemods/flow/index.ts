/** The flow engine: what runs in the life of a device, in which order, and how often. `flow.ts` explains it. */
export { type Body, CallbackTime, type Callee, Callees } from "./callees.ts";
export { type Analysis, type FlowEvent, type FlowResult, LifePhase, type Unknown } from "./events.ts";
export { type FlowOptions, flow } from "./flow.ts";
export { type Binding, DEVICE, type Frame, type Source, sameSource } from "./frames.ts";
export { ClassShape, FlowProgram } from "./program.ts";
export { type LifeQueries, lifeQueries, type Order, type Times } from "./queries.ts";
export { Sources } from "./sources.ts";
export { accessOf, functionAround, isAsync, isPrivate, isProtected, nameOf, strip } from "./syntax.ts";
