/** Exception codes of mcause and scause (privileged ISA 1.12, table 3.6). */
export const Cause = {
  InstructionAccessFault: 1,
  IllegalInstruction: 2,
  Breakpoint: 3,
  LoadMisaligned: 4,
  LoadAccessFault: 5,
  StoreMisaligned: 6,
  StoreAccessFault: 7,
  /** From user mode; supervisor and machine mode follow as 9 and 11. */
  EnvironmentCallFromUser: 8,
  InstructionPageFault: 12,
  LoadPageFault: 13,
  StorePageFault: 15,
} as const;

/** No exception. */
export const NO_FAULT = 0;

/** Bits of mip and mie, each the interrupt of that number (section 3.1.9). */
export const Interrupt = {
  SupervisorSoftware: 1,
  MachineSoftware: 3,
  SupervisorTimer: 5,
  MachineTimer: 7,
  SupervisorExternal: 9,
  MachineExternal: 11,
} as const;
