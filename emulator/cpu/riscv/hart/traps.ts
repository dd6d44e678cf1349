/**
 * Entering traps, returning from them, and choosing interrupts (privileged ISA 1.12, sections 3.1.6 to 3.1.9, 3.3.2).
 */
import { Interrupt } from "./causes.ts";
import type { CsrFile } from "./csr.ts";
import { csrWord, WORD } from "./layout.ts";
import { type HartState, MPP_SHIFT, Privilege, SPP_SHIFT, Status } from "./state.ts";

const INTERRUPT_BIT = 0x80000000 | 0;

/** Highest priority first (section 3.1.9). */
const PRIORITY = [
  Interrupt.MachineExternal,
  Interrupt.MachineSoftware,
  Interrupt.MachineTimer,
  Interrupt.SupervisorExternal,
  Interrupt.SupervisorSoftware,
  Interrupt.SupervisorTimer,
];

export class Traps {
  private readonly state: HartState;
  private readonly csr: CsrFile;

  constructor(state: HartState, csr: CsrFile) {
    this.state = state;
    this.csr = csr;
  }

  /** Takes an exception at `pc`; the value goes to mtval or stval. */
  exception(cause: number, valueLow: number, valueHigh: number): void {
    this.enter(cause, false, valueLow, valueHigh);
  }

  /** Takes the interrupt of highest priority that is pending, enabled and not masked; false if there is none. */
  interrupt(): boolean {
    const cause = this.deliverable();
    if (cause < 0) return false;
    this.enter(cause, true, 0, 0);
    return true;
  }

  private deliverable(): number {
    const { state } = this;
    const ready = this.csr.pending & state.low(csrWord.mie);
    if (ready === 0) return -1;
    const { privilege, mstatus } = state;
    const delegated = state.low(csrWord.mideleg);
    const machineOn = privilege < Privilege.Machine || (mstatus & Status.MIE) !== 0;
    const supervisorOn =
      privilege < Privilege.Supervisor ||
      (privilege === Privilege.Supervisor && (mstatus & Status.SIE) !== 0);
    const machine = machineOn ? ready & ~delegated : 0;
    const candidates = machine !== 0 ? machine : supervisorOn ? ready & delegated : 0;
    for (const interrupt of PRIORITY) {
      if ((candidates & (1 << interrupt)) !== 0) return interrupt;
    }
    return -1;
  }

  private enter(cause: number, interrupt: boolean, valueLow: number, valueHigh: number): void {
    const { state } = this;
    const { privilege, mstatus } = state;
    const delegation = state.low(interrupt ? csrWord.mideleg : csrWord.medeleg);
    const toSupervisor = privilege !== Privilege.Machine && ((delegation >>> cause) & 1) === 1;
    const high = interrupt ? INTERRUPT_BIT : 0;
    let vector: number;
    if (toSupervisor) {
      state.set(csrWord.sepc, state.low(WORD.pc), state.high(WORD.pc));
      state.set(csrWord.scause, cause, high);
      state.set(csrWord.stval, valueLow, valueHigh);
      let status = mstatus & ~(Status.SPIE | Status.SIE | Status.SPP);
      if ((mstatus & Status.SIE) !== 0) status |= Status.SPIE;
      status |= privilege << SPP_SHIFT;
      state.words[csrWord.mstatus] = status;
      state.setPrivilege(Privilege.Supervisor);
      vector = csrWord.stvec;
    } else {
      state.set(csrWord.mepc, state.low(WORD.pc), state.high(WORD.pc));
      state.set(csrWord.mcause, cause, high);
      state.set(csrWord.mtval, valueLow, valueHigh);
      let status = mstatus & ~(Status.MPIE | Status.MIE | Status.MPP);
      if ((mstatus & Status.MIE) !== 0) status |= Status.MPIE;
      status |= privilege << MPP_SHIFT;
      state.words[csrWord.mstatus] = status;
      state.setPrivilege(Privilege.Machine);
      vector = csrWord.mtvec;
    }
    this.jumpToVector(vector, interrupt ? cause : 0);
  }

  /** Direct, or in vectored mode four bytes per interrupt number (section 3.1.7). */
  private jumpToVector(vector: number, interrupt: number): void {
    const { state } = this;
    const low = state.low(vector);
    const vectored = (low & 3) === 1;
    const base = (low & ~3) >>> 0;
    const target = base + (vectored ? 4 * interrupt : 0);
    const carry = target >= 2 ** 32 ? 1 : 0;
    state.set(WORD.pc, target | 0, state.high(vector) + carry);
  }

  /** mret, which only machine mode may execute. */
  machineReturn(): void {
    const { state } = this;
    const { mstatus } = state;
    const previous = (mstatus & Status.MPP) >> MPP_SHIFT;
    let status = mstatus & ~(Status.MIE | Status.MPP);
    if ((mstatus & Status.MPIE) !== 0) status |= Status.MIE;
    status |= Status.MPIE;
    if (previous !== Privilege.Machine) status &= ~Status.MPRV;
    state.words[csrWord.mstatus] = status;
    state.setPrivilege(previous);
    state.set(WORD.pc, state.low(csrWord.mepc), state.high(csrWord.mepc));
  }

  supervisorReturn(): void {
    const { state } = this;
    const { mstatus } = state;
    const previous = (mstatus & Status.SPP) >> SPP_SHIFT;
    let status = mstatus & ~(Status.SIE | Status.SPP | Status.MPRV);
    if ((mstatus & Status.SPIE) !== 0) status |= Status.SIE;
    status |= Status.SPIE;
    state.words[csrWord.mstatus] = status;
    state.setPrivilege(previous);
    state.set(WORD.pc, state.low(csrWord.sepc), state.high(csrWord.sepc));
  }
}
