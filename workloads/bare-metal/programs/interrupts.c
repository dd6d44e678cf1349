/**
 * Every interrupt of the board: software and timer from the ACLINT, external from the UART (transmitter empty) and the
 * RTC (alarm) through the PLIC; first in M-mode, then delegated to S-mode. Also priorities, threshold and claim order.
 */
#include "csr.h"
#include "runtime.h"
#include "virt.h"

#define REPEATS 5u
#define PATIENCE ACLINT_HZ /* one second of guest time to wait for an interrupt */
#define TICKS 1000u        /* 100 microseconds */
#define NEVER (~0UL)
#define LOG_LENGTH 8u

#define CALL_RETURN 0u /* leave S-mode; see supervisor.S */
#define CALL_SET_TIMER 1u

#define BIT(number) (1UL << (number))

void run_in_supervisor(void (*function)(void));
uintptr_t machine_call(uintptr_t argument, uintptr_t number);
void supervisor_trap_entry(void);

/** Interrupts that arrived, per mode. */
struct arrivals {
  unsigned software, timer, external;
  /** Sources in the order in which they were claimed. */
  unsigned claims[LOG_LENGTH];
  /** IIR at the latest interrupt of the UART. */
  unsigned uart_identification;
};
static volatile struct arrivals machine, supervisor;
static volatile bool forward_timer; /* to S-mode, as an SBI does */

static void set_timer(uint64_t deadline) { write64(ACLINT_MTIMECMP(0), deadline); }

static void serve_external(unsigned context, volatile struct arrivals *arrivals) {
  const unsigned source = read32(PLIC_CLAIM(context));
  if (source == UART_SOURCE) {
    arrivals->uart_identification = read8(UART_IIR); /* reading it clears the interrupt */
    write8(UART_IER, 0);
  } else if (source == RTC_SOURCE) {
    write32(RTC_CLEAR_INTERRUPT, 1);
    write32(RTC_IRQ_ENABLED, 0);
  }
  if (arrivals->external < LOG_LENGTH) arrivals->claims[arrivals->external] = source;
  arrivals->external++;
  write32(PLIC_CLAIM(context), source);
}

uintptr_t machine_trap(uintptr_t cause, uintptr_t pc, struct trap_frame *frame) {
  switch (cause) {
    case CAUSE_INTERRUPT | MACHINE_SOFTWARE:
      write32(ACLINT_MSIP(0), 0);
      machine.software++;
      return pc;
    case CAUSE_INTERRUPT | MACHINE_TIMER:
      set_timer(NEVER);
      if (forward_timer) {
        csr_set(mip, BIT(SUPERVISOR_TIMER));
      } else {
        machine.timer++;
      }
      return pc;
    case CAUSE_INTERRUPT | MACHINE_EXTERNAL:
      serve_external(PLIC_MACHINE, &machine);
      return pc;
    case CAUSE_SUPERVISOR_CALL:
      if (frame->a[7] == CALL_SET_TIMER) {
        csr_clear(mip, BIT(SUPERVISOR_TIMER));
        set_timer(frame->a[0]);
      } else {
        csr_set(mstatus, MSTATUS_MPP_MACHINE);
      }
      return pc + 4;
    default:
      unexpected_trap("M-mode", cause, pc);
  }
}

uintptr_t supervisor_trap(uintptr_t cause, uintptr_t pc, struct trap_frame *frame) {
  (void)frame;
  switch (cause) {
    case CAUSE_INTERRUPT | SUPERVISOR_SOFTWARE:
      csr_clear(sip, BIT(SUPERVISOR_SOFTWARE));
      supervisor.software++;
      return pc;
    case CAUSE_INTERRUPT | SUPERVISOR_TIMER:
      machine_call(NEVER, CALL_SET_TIMER);
      supervisor.timer++;
      return pc;
    case CAUSE_INTERRUPT | SUPERVISOR_EXTERNAL:
      serve_external(PLIC_SUPERVISOR, &supervisor);
      return pc;
    default:
      unexpected_trap("S-mode", cause, pc);
  }
}

/** Waits, with interrupts on, until `*counter` is `target` or the wait times out. */
static bool arrives(volatile unsigned *counter, unsigned target) {
  const uint64_t deadline = read64(ACLINT_MTIME) + PATIENCE;
  while (*counter < target && read64(ACLINT_MTIME) < deadline) {
  }
  return *counter == target;
}

/** Makes the UART interrupt: its transmitter is empty, so enabling that interrupt raises it. */
static void raise_uart(void) {
  while (!(read8(UART_LSR) & UART_LSR_THRE)) {
  }
  write8(UART_IER, UART_IER_THRI);
}

/** Makes the RTC interrupt: an alarm that is already due fires at once. */
static void raise_rtc(void) {
  write32(RTC_IRQ_ENABLED, 1);
  rtc_set_alarm(rtc_now());
}

static bool is_pending(unsigned source) { return read32(PLIC_PENDING(source >> 5)) >> (source & 31) & 1; }

static void route(unsigned context, uint32_t uart_priority, uint32_t rtc_priority) {
  write32(PLIC_PRIORITY(UART_SOURCE), uart_priority);
  write32(PLIC_PRIORITY(RTC_SOURCE), rtc_priority);
  write32(PLIC_ENABLE(context, 0), 1u << UART_SOURCE | 1u << RTC_SOURCE);
  write32(PLIC_THRESHOLD(context), 0);
}

static void machine_local(void) {
  csr_write(mie, BIT(MACHINE_SOFTWARE));
  for (unsigned i = 1; i <= REPEATS; i++) {
    write32(ACLINT_MSIP(0), 1);
    arrives(&machine.software, i);
  }
  check(machine.software == REPEATS, "M-mode software interrupts");

  set_timer(NEVER); /* mtimecmp has no defined value after reset */
  csr_write(mie, BIT(MACHINE_TIMER));
  bool on_time = true;
  for (unsigned i = 1; i <= REPEATS; i++) {
    const uint64_t deadline = read64(ACLINT_MTIME) + TICKS;
    csr_clear(mstatus, MSTATUS_MIE); /* no interrupt may arrive between the test and the wait */
    set_timer(deadline);
    while (machine.timer < i) {
      wait_for_interrupt();
      csr_set(mstatus, MSTATUS_MIE);
      csr_clear(mstatus, MSTATUS_MIE);
    }
    csr_set(mstatus, MSTATUS_MIE);
    on_time &= read64(ACLINT_MTIME) >= deadline;
  }
  check(machine.timer == REPEATS, "M-mode timer interrupts");
  check(on_time, "none before its time");
}

/** Claims of both devices while both are pending; interrupts are off until then. */
static bool claims_in_order(uint32_t uart_priority, uint32_t rtc_priority, unsigned first, unsigned second) {
  csr_clear(mstatus, MSTATUS_MIE);
  machine.external = 0;
  route(PLIC_MACHINE, uart_priority, rtc_priority);
  raise_uart();
  raise_rtc();
  const bool both = is_pending(UART_SOURCE) && is_pending(RTC_SOURCE);
  csr_set(mstatus, MSTATUS_MIE);
  return arrives(&machine.external, 2) && both && machine.claims[0] == first && machine.claims[1] == second;
}

static void machine_external(void) {
  csr_write(mie, BIT(MACHINE_EXTERNAL));
  route(PLIC_MACHINE, 1, 1);
  raise_uart();
  check(arrives(&machine.external, 1) && machine.claims[0] == UART_SOURCE, "M-mode external interrupt of the UART");
  check((machine.uart_identification & 0x0f) == UART_IIR_THRI, "it says transmitter empty");
  check(!is_pending(UART_SOURCE) && read32(PLIC_CLAIM(PLIC_MACHINE)) == 0, "nothing is left to claim");

  /* An alarm in the future, awaited in wfi; the timer ends the wait if the alarm never fires. */
  csr_set(mie, BIT(MACHINE_TIMER));
  machine.timer = 0;
  machine.external = 0;
  const uint64_t alarm = rtc_now() + 1000000;
  write32(RTC_IRQ_ENABLED, 1);
  rtc_set_alarm(alarm);
  check(read32(RTC_ALARM_STATUS) == 1, "the alarm is set");
  set_timer(read64(ACLINT_MTIME) + PATIENCE);
  csr_clear(mstatus, MSTATUS_MIE); /* as above */
  while (machine.external == 0 && machine.timer == 0) {
    wait_for_interrupt();
    csr_set(mstatus, MSTATUS_MIE);
    csr_clear(mstatus, MSTATUS_MIE);
  }
  csr_set(mstatus, MSTATUS_MIE);
  set_timer(NEVER);
  csr_clear(mie, BIT(MACHINE_TIMER));
  check(machine.external == 1 && machine.claims[0] == RTC_SOURCE, "M-mode external interrupt of the RTC");
  check(rtc_now() >= alarm, "not before the alarm");
  check(read32(RTC_ALARM_STATUS) == 0, "the alarm is over");

  check(claims_in_order(1, 2, RTC_SOURCE, UART_SOURCE), "the higher priority is claimed first: RTC");
  check(claims_in_order(3, 2, UART_SOURCE, RTC_SOURCE), "the higher priority is claimed first: UART");
  check(claims_in_order(4, 4, UART_SOURCE, RTC_SOURCE), "of equal priorities the lower source is first");

  machine.external = 0;
  write32(PLIC_THRESHOLD(PLIC_MACHINE), 4);
  raise_uart();
  check(is_pending(UART_SOURCE) && !(csr_read(mip) & BIT(MACHINE_EXTERNAL)), "the threshold holds a priority back");
  write32(PLIC_THRESHOLD(PLIC_MACHINE), 3);
  check(arrives(&machine.external, 1), "a lower threshold lets it through");
}

static void supervisor_all(void) {
  csr_write(sie, BIT(SUPERVISOR_SOFTWARE) | BIT(SUPERVISOR_TIMER) | BIT(SUPERVISOR_EXTERNAL));
  csr_set(sstatus, MSTATUS_SIE);
  for (unsigned i = 1; i <= REPEATS; i++) {
    csr_set(sip, BIT(SUPERVISOR_SOFTWARE));
    arrives(&supervisor.software, i);
  }
  check(supervisor.software == REPEATS, "S-mode software interrupts");

  for (unsigned i = 1; i <= REPEATS; i++) {
    machine_call(read64(ACLINT_MTIME) + TICKS, CALL_SET_TIMER);
    arrives(&supervisor.timer, i);
  }
  check(supervisor.timer == REPEATS, "S-mode timer interrupts, passed on by M-mode");

  route(PLIC_SUPERVISOR, 1, 1);
  raise_uart();
  check(arrives(&supervisor.external, 1) && supervisor.claims[0] == UART_SOURCE,
        "S-mode external interrupt of the UART");
  raise_rtc();
  check(arrives(&supervisor.external, 2) && supervisor.claims[1] == RTC_SOURCE,
        "S-mode external interrupt of the RTC");
}

static void delegate(void) {
  write32(PLIC_ENABLE(PLIC_MACHINE, 0), 0);
  machine = (struct arrivals){0};
  csr_write(mideleg, BIT(SUPERVISOR_SOFTWARE) | BIT(SUPERVISOR_TIMER) | BIT(SUPERVISOR_EXTERNAL));
  csr_write(stvec, supervisor_trap_entry);
  csr_write(satp, 0);
  csr_write(pmpaddr0, NEVER >> 10); /* S-mode may access everything */
  csr_write(pmpcfg0, PMP_RWX_NAPOT);
  csr_write(mie, BIT(MACHINE_SOFTWARE) | BIT(MACHINE_TIMER) | BIT(MACHINE_EXTERNAL));
  forward_timer = true;
  run_in_supervisor(supervisor_all);
  check(machine.software + machine.timer + machine.external == 0, "M-mode saw none of the delegated ones");
}

int main(uintptr_t hart, uintptr_t device_tree) {
  (void)hart, (void)device_tree;
  csr_set(mstatus, MSTATUS_MIE);
  machine_local();
  machine_external();
  delegate();
  return conclude("interrupts");
}
