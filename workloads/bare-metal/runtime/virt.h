/**
 * The `virt` board as these programs see it. Addresses are those of the board's device tree; registers are named after
 * the devices' own manuals: 16550A UART, SiFive PLIC, RISC-V ACLINT, Google goldfish RTC, SiFive test finisher.
 */
#ifndef VIRT_H
#define VIRT_H

#include <stdbool.h>
#include <stdint.h>

#define FINISHER 0x00100000UL
#define FINISHER_FAIL 0x3333u
#define FINISHER_PASS 0x5555u

#define RTC 0x00101000UL
#define RTC_TIME_LOW (RTC + 0x00) /* latches TIME_HIGH */
#define RTC_TIME_HIGH (RTC + 0x04)
#define RTC_ALARM_LOW (RTC + 0x08) /* arms the alarm with the previously written ALARM_HIGH */
#define RTC_ALARM_HIGH (RTC + 0x0c)
#define RTC_IRQ_ENABLED (RTC + 0x10)
#define RTC_CLEAR_ALARM (RTC + 0x14)
#define RTC_ALARM_STATUS (RTC + 0x18)
#define RTC_CLEAR_INTERRUPT (RTC + 0x1c)
#define RTC_SOURCE 11u

#define ACLINT_MSIP(hart) (0x02000000UL + 4UL * (hart))
#define ACLINT_MTIMECMP(hart) (0x02004000UL + 8UL * (hart))
#define ACLINT_MTIME 0x0200bff8UL
#define ACLINT_HZ 10000000UL

#define PLIC 0x0c000000UL
#define PLIC_SOURCES 96u
#define PLIC_PRIORITY(source) (PLIC + 4UL * (source))
#define PLIC_PENDING(word) (PLIC + 0x1000 + 4UL * (word))
#define PLIC_ENABLE(context, word) (PLIC + 0x2000 + 0x80UL * (context) + 4UL * (word))
#define PLIC_THRESHOLD(context) (PLIC + 0x200000 + 0x1000UL * (context))
#define PLIC_CLAIM(context) (PLIC + 0x200004 + 0x1000UL * (context))
#define PLIC_MACHINE 0u    /* context of hart 0 in M-mode */
#define PLIC_SUPERVISOR 1u /* context of hart 0 in S-mode */

#define UART 0x10000000UL
#define UART_THR (UART + 0)
#define UART_DLL (UART + 0) /* with LCR.DLAB */
#define UART_IER (UART + 1)
#define UART_DLM (UART + 1) /* with LCR.DLAB */
#define UART_IIR (UART + 2)
#define UART_FCR (UART + 2)
#define UART_LCR (UART + 3)
#define UART_MCR (UART + 4)
#define UART_LSR (UART + 5)
#define UART_SCR (UART + 7)
#define UART_IER_THRI 0x02u
#define UART_IIR_THRI 0x02u
#define UART_LCR_8N1 0x03u
#define UART_LCR_DLAB 0x80u
#define UART_LSR_THRE 0x20u
#define UART_SOURCE 10u

#define FLASH_BANK(bank) (0x20000000UL + 0x02000000UL * (bank))
#define FLASH_BANK_BYTES 0x02000000UL
#define FLASH_BLOCK_BYTES 0x00040000UL

static inline uint8_t read8(uintptr_t address) { return *(volatile uint8_t *)address; }
static inline uint16_t read16(uintptr_t address) { return *(volatile uint16_t *)address; }
static inline uint32_t read32(uintptr_t address) { return *(volatile uint32_t *)address; }
static inline uint64_t read64(uintptr_t address) { return *(volatile uint64_t *)address; }
static inline void write8(uintptr_t address, uint8_t value) { *(volatile uint8_t *)address = value; }
static inline void write32(uintptr_t address, uint32_t value) { *(volatile uint32_t *)address = value; }
static inline void write64(uintptr_t address, uint64_t value) { *(volatile uint64_t *)address = value; }

/** Nanoseconds since 1970. */
static inline uint64_t rtc_now(void) {
  uint64_t low = read32(RTC_TIME_LOW);
  return (uint64_t)read32(RTC_TIME_HIGH) << 32 | low;
}

static inline void rtc_set_alarm(uint64_t nanoseconds) {
  write32(RTC_ALARM_HIGH, (uint32_t)(nanoseconds >> 32));
  write32(RTC_ALARM_LOW, (uint32_t)nanoseconds);
}

#endif
