import type { HostCall } from "../instructions/instruction.ts";

/**
 * Why generated code returned. `pc`, `remaining` and `record` then describe the instruction that was not executed; for
 * an access `address` is its effective address.
 */
export const Exit = {
  /** `remaining` has reached zero. */
  Budget: 0,
  /** Nothing is decoded at `pc`. */
  Fetch: 1,
  Illegal: 2,
  EnvironmentCall: 3,
  Breakpoint: 4,
  Csr: 5,
  MachineReturn: 6,
  SupervisorReturn: 7,
  WaitForInterrupt: 8,
  FenceVirtualMemory: 9,
  OrderInvalidation: 10,
  CacheBlockInvalidate: 11,
  CacheBlockClean: 12,
  CacheBlockZero: 13,
  Pause: 14,
  /** Execution has arrived at `pc` so often that it should be translated. */
  Hot: 15,
  Float: 16,
  /** Accesses that missed the translation buffer: one of these bits, the size in the low four, and `ACCESS_SIGNED`. */
  Load: 0x100,
  Store: 0x200,
  LoadReserved: 0x400,
  Atomic: 0x800,
} as const;

export const ACCESS_BYTES = 0x0f;
export const ACCESS_SIGNED = 0x10;

export const hostExit: Record<HostCall, number> = {
  illegal: Exit.Illegal,
  environmentCall: Exit.EnvironmentCall,
  breakpoint: Exit.Breakpoint,
  csr: Exit.Csr,
  machineReturn: Exit.MachineReturn,
  supervisorReturn: Exit.SupervisorReturn,
  waitForInterrupt: Exit.WaitForInterrupt,
  fenceVirtualMemory: Exit.FenceVirtualMemory,
  orderInvalidation: Exit.OrderInvalidation,
  cacheBlockInvalidate: Exit.CacheBlockInvalidate,
  cacheBlockClean: Exit.CacheBlockClean,
  cacheBlockZero: Exit.CacheBlockZero,
  pause: Exit.Pause,
  float: Exit.Float,
};
