/**
 * A small WebAssembly encoder: typed expressions that emit themselves, structured control flow with checked labels, and
 * modules of functions over one imported memory. It is independent of RISC-V.
 */
export {
  Expression,
  type F32,
  type F64,
  type I32,
  type I64,
  Label,
  Local,
  type Statement,
  type ValueType,
} from "./code.ts";
export {
  block,
  blockTo,
  branch,
  branchIf,
  branchTable,
  choose,
  drop,
  loop,
  nothing,
  returnCall,
  returnCallIndirect,
  returnValue,
  select,
  sequence,
  unreachable,
  when,
} from "./control.ts";
export { f32, f64 } from "./float.ts";
export { call, FunctionBuilder, ModuleBuilder } from "./module.ts";
export { i32, i64 } from "./numeric.ts";
