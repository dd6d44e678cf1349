/**
 * Zicsr (unprivileged ISA, chapter 9), the privileged instructions (privileged ISA 1.12, section 3.3 and 4.2) and
 * Svinval (section 6).
 */
import { formatsOf, OPCODE } from "./formats.ts";
import type { FullInstruction } from "./instruction.ts";

const { csr } = formatsOf("Zicsr");
const { R, exact } = formatsOf("Privileged");
const svinval = formatsOf("Svinval");

export const systemInstructions: readonly FullInstruction[] = [
  csr("csrrw", 1, (c) => c.accessCsr("write", "rs1")),
  csr("csrrs", 2, (c) => c.accessCsr("set", "rs1")),
  csr("csrrc", 3, (c) => c.accessCsr("clear", "rs1")),
  csr("csrrwi", 5, (c) => c.accessCsr("write", "zimm")),
  csr("csrrsi", 6, (c) => c.accessCsr("set", "zimm")),
  csr("csrrci", 7, (c) => c.accessCsr("clear", "zimm")),
  exact("sret", 0x10200073, (c) => c.supervisorReturn()),
  exact("mret", 0x30200073, (c) => c.host("machineReturn")),
  exact("wfi", 0x10500073, (c) => c.host("waitForInterrupt")),
  fenceVirtualMemory(R("sfence.vma", OPCODE.system, 0, 0x09, (c) => c.host("fenceVirtualMemory"))),
  /** Invalidations are complete at once, so that the fences around them have nothing to order. */
  fenceVirtualMemory(svinval.R("sinval.vma", OPCODE.system, 0, 0x0b, (c) => c.host("fenceVirtualMemory"))),
  svinval.exact("sfence.w.inval", 0x18000073, (c) => c.host("orderInvalidation")),
  svinval.exact("sfence.inval.ir", 0x18100073, (c) => c.host("orderInvalidation")),
];

/** Two sources and no destination, whose field must be zero. */
function fenceVirtualMemory({ rd: _, ...instruction }: FullInstruction): FullInstruction {
  return { ...instruction, mask: 0xfe007fff, syntax: "rs1,rs2" };
}
