/**
 * Accesses that devices may refuse: every size, aligned or not, at registers, next to them and at unmapped addresses.
 * Prints a table of outcomes: a dot, or the cause of the exception and, if mtval is not the address of the access, the
 * distance between the two.
 */
#include "csr.h"
#include "runtime.h"
#include "virt.h"

#define CAUSE_FETCH_ACCESS 1u

/** Cause of the latest exception, or NONE. */
static volatile uintptr_t cause_seen;
static volatile uintptr_t address_seen;
/** Address to resume at; 0: after the faulting instruction, which has four bytes. */
static volatile uintptr_t resume_at;

#define NONE (~0UL)

/** One instruction of four bytes, so that the trap handler can skip it. */
#define ACCESS(instruction, ...)                                                          \
  __asm__ volatile(".option push\n.option norvc\n" instruction "\n.option pop" __VA_ARGS__)

uintptr_t machine_trap(uintptr_t cause, uintptr_t pc, struct trap_frame *frame) {
  (void)frame;
  if (cause & CAUSE_INTERRUPT) unexpected_trap("M-mode", cause, pc);
  cause_seen = cause;
  address_seen = csr_read(mtval);
  return resume_at ? resume_at : pc + 4;
}

static void load(uintptr_t address, unsigned size) {
  uintptr_t value = 0;
  switch (size) {
    case 1:
      ACCESS("lbu %0, 0(%1)", : "+r"(value) : "r"(address) : "memory");
      break;
    case 2:
      ACCESS("lhu %0, 0(%1)", : "+r"(value) : "r"(address) : "memory");
      break;
    case 4:
      ACCESS("lwu %0, 0(%1)", : "+r"(value) : "r"(address) : "memory");
      break;
    default:
      ACCESS("ld %0, 0(%1)", : "+r"(value) : "r"(address) : "memory");
  }
}

static void store(uintptr_t address, unsigned size, uintptr_t value) {
  switch (size) {
    case 1:
      ACCESS("sb %0, 0(%1)", ::"r"(value), "r"(address) : "memory");
      break;
    case 2:
      ACCESS("sh %0, 0(%1)", ::"r"(value), "r"(address) : "memory");
      break;
    case 4:
      ACCESS("sw %0, 0(%1)", ::"r"(value), "r"(address) : "memory");
      break;
    default:
      ACCESS("sd %0, 0(%1)", ::"r"(value), "r"(address) : "memory");
  }
}

static void print_outcome(uintptr_t address) {
  if (cause_seen == NONE) {
    print(" .");
    return;
  }
  print(" ");
  print_decimal(cause_seen);
  if (address_seen != address) { /* mtval holds the address of a part of the access */
    print(address_seen < address ? "-" : "+");
    print_decimal(address_seen < address ? address - address_seen : address_seen - address);
  }
}

static void probe(const char *name, uintptr_t address, uintptr_t value) {
  print_hex(address, 14);
  print("  loads");
  for (unsigned size = 1; size <= 8; size *= 2) {
    cause_seen = NONE;
    load(address, size);
    print_outcome(address);
  }
  print("  stores");
  for (unsigned size = 1; size <= 8; size *= 2) {
    cause_seen = NONE;
    store(address, size, value);
    print_outcome(address);
  }
  print("  ");
  print(name);
  print("\n");
}

static void fetch(uintptr_t address) {
  uintptr_t scratch;
  cause_seen = NONE;
  __asm__ volatile(
    "la %0, 1f\n"
    "sd %0, %1\n"
    "jalr ra, %2\n"
    "1:"
    : "=&r"(scratch), "=m"(resume_at)
    : "r"(address)
    : "ra", "memory");
  resume_at = 0;
}

int main(uintptr_t hart, uintptr_t device_tree) {
  (void)hart, (void)device_tree;
  print("address           outcome by size: 1 2 4 8\n");
  probe("below the boot ROM", 0x0ff0, 0);
  probe("boot ROM", 0x8000, 0);
  probe("boot ROM, unaligned", 0x8003, 0);
  probe("test finisher", FINISHER, 0);
  probe("test finisher, unaligned", FINISHER + 1, 0);
  probe("test finisher, its end", FINISHER + 0xffc, 0);
  probe("RTC", RTC_IRQ_ENABLED, 0);
  probe("RTC, unaligned", RTC_IRQ_ENABLED + 2, 0);
  probe("RTC, its last register", RTC + 0x20, 0);
  probe("behind the RTC", RTC + 0x24, 0);
  probe("software interrupt", ACLINT_MSIP(0), 0);
  probe("software interrupt, unaligned", ACLINT_MSIP(0) + 2, 0);
  probe("software interrupt of hart 4000", ACLINT_MSIP(4000), 0);
  probe("mtimecmp", ACLINT_MTIMECMP(0), ~0UL);
  probe("mtimecmp, its high half", ACLINT_MTIMECMP(0) + 4, ~0UL);
  probe("mtimecmp, unaligned", ACLINT_MTIMECMP(0) + 2, ~0UL);
  probe("mtime", ACLINT_MTIME, 0);
  probe("behind the ACLINT", 0x0200c000, 0);
  probe("platform bus", 0x04000000, 0);
  probe("PLIC priority", PLIC_PRIORITY(1), 0);
  probe("PLIC priority, unaligned", PLIC_PRIORITY(1) + 1, 0);
  probe("PLIC pending", PLIC_PENDING(0), 0);
  probe("PLIC claim", PLIC_CLAIM(0), 0);
  probe("PLIC, reserved", PLIC + 0x300000, 0);
  probe("behind the PLIC", 0x0c600000, 0);
  write8(UART_LCR, UART_LCR_DLAB | UART_LCR_8N1); /* so that stores reach the divisor, and nothing is sent */
  cause_seen = NONE;
  load(UART, 8);
  const bool whole = cause_seen == NONE;
  store(UART, 8, 1);
  const bool stored = cause_seen == NONE;
  write8(UART_LCR, UART_LCR_8N1);
  check(whole && stored, "the UART takes 8 bytes at once");
  probe("UART modem control", UART_MCR, 0);
  probe("UART line status, unaligned", UART_LSR, 0);
  probe("UART scratch register", UART_SCR, 0);
  probe("behind the UART", UART + 8, 0);
  probe("flash, bank 0", FLASH_BANK(0) + 16, ~0UL);
  probe("flash, bank 1, unaligned", FLASH_BANK(1) + 1, ~0UL);
  probe("flash, its end", FLASH_BANK(1) + FLASH_BANK_BYTES - 8, ~0UL);
  probe("behind the flash", 0x24000000, 0);
  probe("behind RAM of 256 MiB", 0x90000000, 0);
  probe("far away", 1UL << 55, 0);
  fetch(0x0f00);
  check(cause_seen == CAUSE_FETCH_ACCESS && address_seen == 0x0f00, "nothing can be fetched where nothing is");
  return conclude("bus-errors");
}
