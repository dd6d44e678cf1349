/** Assembly around test programs: start, trap log, and a dump of everything logged to the console. */

/**
 * Bytes are logged through `s11`. `body` starts in machine mode with traps going to `on_trap`, which is part of
 * `support`; it ends by falling off its end. Everything between `log_start` and s11 is printed in binary.
 */
export function program(body: string, support = ""): string {
  return `
    .globl _start
_start:
    la s11, log_start
    la t0, on_trap
    csrw mtvec, t0
${body}
finish:
    la t0, log_start
    li t1, ${0x10000000}
1:  bgeu t0, s11, 3f
    lbu t2, 0(t0)
2:  lbu t3, 5(t1)
    andi t3, t3, 0x20
    beqz t3, 2b
    sb t2, 0(t1)
    addi t0, t0, 1
    j 1b
3:  li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
4:  j 4b
    .balign 4
${support}
    .balign 8
log_start:
`;
}
