# Trap entries of M-mode and S-mode. Both save the caller-saved registers on the interrupted stack,
# call `machine_trap` or `supervisor_trap` (cause, pc, frame), and resume at the pc that the handler returns.

    .macro  each_register operation
    \operation ra,   0(sp)
    \operation t0,   8(sp)
    \operation t1,  16(sp)
    \operation t2,  24(sp)
    \operation t3,  32(sp)
    \operation t4,  40(sp)
    \operation t5,  48(sp)
    \operation t6,  56(sp)
    \operation a0,  64(sp)          # from here on: struct trap_frame
    \operation a1,  72(sp)
    \operation a2,  80(sp)
    \operation a3,  88(sp)
    \operation a4,  96(sp)
    \operation a5, 104(sp)
    \operation a6, 112(sp)
    \operation a7, 120(sp)
    .endm

    .macro  trap_entry name, handler, cause, pc, return
    .globl  \name
    .balign 4                       # the low two bits of xtvec are its mode: 0, direct
\name:
    addi    sp, sp, -128
    each_register sd
    csrr    a0, \cause
    csrr    a1, \pc
    addi    a2, sp, 64
    call    \handler
    csrw    \pc, a0
    each_register ld
    addi    sp, sp, 128
    \return
    .endm

    .text
    trap_entry machine_trap_entry, machine_trap, mcause, mepc, mret
    trap_entry supervisor_trap_entry, supervisor_trap, scause, sepc, sret
