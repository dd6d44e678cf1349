# void run_in_supervisor(void (*function)(void)): runs a function in S-mode on the same stack and returns in M-mode.
# It returns by an ecall with a7 = 0, for which `machine_trap` must set mstatus.MPP to M and resume after the ecall.

    .text
    .globl  run_in_supervisor
run_in_supervisor:
    addi    sp, sp, -16
    sd      ra, 0(sp)
    csrw    mepc, a0
    li      t0, 3 << 11
    csrc    mstatus, t0
    li      t0, 1 << 11             # MPP = S
    csrs    mstatus, t0
    la      ra, 1f
    mret
1:  li      a7, 0
    ecall
    ld      ra, 0(sp)
    addi    sp, sp, 16
    ret

# uintptr_t machine_call(uintptr_t a0, uintptr_t number): a call from S-mode to M-mode.

    .globl  machine_call
machine_call:
    mv      a7, a1
    ecall
    ret
