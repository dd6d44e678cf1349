/** Control and status registers, RISC-V privileged architecture. */
#ifndef CSR_H
#define CSR_H

#include <stdint.h>

#define csr_read(name)                                        \
  ({                                                          \
    uintptr_t value_;                                         \
    __asm__ volatile("csrr %0, " #name : "=r"(value_)::"memory"); \
    value_;                                                   \
  })
#define csr_write(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"((uintptr_t)(value)) : "memory")
#define csr_set(name, bits) __asm__ volatile("csrs " #name ", %0" ::"r"((uintptr_t)(bits)) : "memory")
#define csr_clear(name, bits) __asm__ volatile("csrc " #name ", %0" ::"r"((uintptr_t)(bits)) : "memory")
#define wait_for_interrupt() __asm__ volatile("wfi" ::: "memory")

#define MSTATUS_SIE (1UL << 1)
#define MSTATUS_MIE (1UL << 3)
#define MSTATUS_MPP_SUPERVISOR (1UL << 11)
#define MSTATUS_MPP_MACHINE (3UL << 11)

/* Interrupt numbers: bit in mip and mie, and the cause without the interrupt bit. */
#define SUPERVISOR_SOFTWARE 1u
#define MACHINE_SOFTWARE 3u
#define SUPERVISOR_TIMER 5u
#define MACHINE_TIMER 7u
#define SUPERVISOR_EXTERNAL 9u
#define MACHINE_EXTERNAL 11u
#define CAUSE_INTERRUPT (1UL << 63)
#define CAUSE_SUPERVISOR_CALL 9u

#define PMP_RWX_NAPOT 0x1fUL

#endif
