# Reset entry of programs that use four harts: hart 0 initialises memory and runs `main`; the others run `secondary`.
# The board's boot ROM jumps here on every hart, in M-mode with a0 = hart number and a1 = address of the device tree.

    .equ    HARTS, 4
    .equ    STACK_BYTES, 4096       # each; virt.ld has room for four

    .section .text.start, "ax"
    .globl  _start
_start:
    csrw    mie, zero
    la      t0, machine_trap_entry
    csrw    mtvec, t0
    la      sp, stack_top
    li      t0, STACK_BYTES
    mul     t0, t0, a0
    sub     sp, sp, t0
    bnez    a0, wait

    la      t0, bss_start
    la      t1, bss_end
clear:
    bgeu    t0, t1, run
    sd      zero, 0(t0)
    addi    t0, t0, 8
    j       clear

run:
    mv      s0, a0
    mv      s1, a1
    call    console_init
    fence   rw, w                   # the others see initialised memory
    la      t0, prepared
    li      t1, 1
    sw      t1, 0(t0)
    mv      a0, s0
    mv      a1, s1
    call    main
    call    power_off

wait:
    li      t0, HARTS
    bgeu    a0, t0, park
    la      t0, prepared
wait_more:
    lw      t1, 0(t0)
    beqz    t1, wait_more
    fence   r, rw
    call    secondary
park:
    wfi
    j       park

    .data
    .balign 4
prepared:
    .word   0
