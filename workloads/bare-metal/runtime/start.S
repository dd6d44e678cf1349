# Reset entry. The board's boot ROM jumps here in M-mode with a0 = hart number and a1 = address of the device tree.

    .section .text.start, "ax"
    .globl  _start
_start:
    csrw    mie, zero
    la      t0, machine_trap_entry
    csrw    mtvec, t0
    bnez    a0, park                # hart 0 works, the others sleep

    la      sp, stack_top
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
    mv      a0, s0
    mv      a1, s1
    call    main
    call    power_off
park:
    wfi
    j       park
