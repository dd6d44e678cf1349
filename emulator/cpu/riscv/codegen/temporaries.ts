import type { FunctionBuilder, Local, ValueType } from "../wasm/index.ts";

/** Temporaries of a function, reused by every handler. */
export class TemporaryPool {
  private readonly locals: Record<ValueType, Local<ValueType>[]> = { i32: [], i64: [], f32: [], f64: [] };
  private readonly used: Record<ValueType, number> = { i32: 0, i64: 0, f32: 0, f64: 0 };
  private readonly builder: FunctionBuilder;

  constructor(builder: FunctionBuilder) {
    this.builder = builder;
  }

  releaseAll(): void {
    for (const type of ["i32", "i64", "f32", "f64"] as const) this.used[type] = 0;
  }

  take<T extends ValueType>(type: T): Local<T> {
    const pool = this.locals[type];
    const index = this.used[type]++;
    const local = pool[index] ?? this.builder.local(type);
    pool[index] = local;
    return local as Local<ValueType> as Local<T>; // the pool was chosen by `type`
  }
}
