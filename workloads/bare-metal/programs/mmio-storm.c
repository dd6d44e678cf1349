/**
 * A long deterministic storm of device accesses: a pseudo-random sequence of reads and writes over the RTC, the PLIC, the
 * UART, the ACLINT and both flash banks (in array mode). Every value read that does not depend on host time goes into
 * a checksum; the RTC time and mtime are also read, but only their order is checked. No interrupts are enabled.
 */
#include "runtime.h"
#include "virt.h"

#define ROUNDS 200000u
#define SEED 0x5eed1ab5u
#define PATTERN_WORDS 256u

static uint32_t random_state = SEED;
static uint64_t checksum = 0xcbf29ce484222325UL;
static uint64_t last_mtime;
static uint64_t last_rtc;
static bool mtime_ordered = true;
static bool rtc_ordered = true;

/** Marsaglia's xorshift32. */
static uint32_t draw(void) {
  uint32_t x = random_state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return random_state = x;
}

/** FNV-1a over 64-bit words. */
static void mix(uint64_t value) { checksum = (checksum ^ value) * 0x100000001b3UL; }

/** Erases block 0 of a bank and programs a pattern for array reads. */
static void prepare_flash(unsigned bank) {
  const uintptr_t base = FLASH_BANK(bank);
  write32(base, 0x00200020); /* block erase: set-up, confirm */
  write32(base, 0x00d000d0);
  for (unsigned i = 0; i < PATTERN_WORDS; i++) {
    write32(base + 4 * i, 0x00400040); /* single word program */
    write32(base + 4 * i, (i + 1) * 0x9e3779b9u + bank);
  }
  write32(base, 0x00ff00ff); /* read array */
}

static void touch_uart(uint32_t r) {
  switch (r >> 8 & 3) {
    case 0:
      write8(UART_SCR, (uint8_t)r);
      break;
    case 1:
      write8(UART_IER, r & 0x0c); /* line and modem status only: no output, hence no interrupt */
      mix(read8(UART_IER));
      break;
    case 2: { /* the divisor, which the console needs as little as the scratch register */
      write8(UART_LCR, UART_LCR_DLAB | UART_LCR_8N1);
      write8(UART_DLM, (uint8_t)(r >> 16));
      mix(read8(UART_DLL) << 8 | read8(UART_DLM));
      write8(UART_LCR, UART_LCR_8N1);
      mix(read8(UART_LCR));
      break;
    }
    default:
      mix(read8(UART_SCR));
  }
}

static void touch_plic(uint32_t r) {
  const unsigned source = 1 + (r >> 8) % (PLIC_SOURCES - 1);
  const unsigned context = r >> 16 & 1;
  switch (r >> 20 & 7) {
    case 0:
      write32(PLIC_PRIORITY(source), r >> 24 & 7);
      break;
    case 1:
      mix(read32(PLIC_PRIORITY(source)));
      break;
    case 2:
      write32(PLIC_ENABLE(context, source >> 5), r & ~1u);
      break;
    case 3:
      mix(read32(PLIC_ENABLE(context, source >> 5)));
      break;
    case 4:
      write32(PLIC_THRESHOLD(context), r >> 24 & 7);
      break;
    case 5:
      mix(read32(PLIC_THRESHOLD(context)));
      break;
    case 6:
      mix(read32(PLIC_CLAIM(context))); /* nothing is pending: 0 */
      break;
    default:
      mix(read32(PLIC_PENDING(source >> 5)));
  }
}

static void touch_aclint(uint32_t r) {
  switch (r >> 8 & 7) {
    case 0:
      write32(ACLINT_MSIP(0), r & 1);
      break;
    case 1:
      mix(read32(ACLINT_MSIP(0)));
      break;
    case 2:
      write64(ACLINT_MTIMECMP(0), (uint64_t)r << 32 | r);
      break;
    case 3:
      mix(read64(ACLINT_MTIMECMP(0)));
      break;
    case 4:
      write32(ACLINT_MTIMECMP(0) + (r >> 29 & 4), r);
      break;
    case 5:
      mix(read32(ACLINT_MTIMECMP(0) + (r >> 29 & 4)));
      break;
    default: {
      const uint64_t now = read64(ACLINT_MTIME);
      mtime_ordered &= now >= last_mtime;
      last_mtime = now;
    }
  }
}

static void touch_rtc(uint32_t r) {
  switch (r >> 8 & 7) {
    case 0: /* the first four seconds of 1970 are always past, 2225 always ahead: ALARM_STATUS is the same everywhere */
      write32(RTC_ALARM_HIGH, r & 1 ? 0x70000000 : 0);
      write32(RTC_ALARM_LOW, r);
      mix(read32(RTC_ALARM_STATUS));
      break;
    case 1:
      write32(RTC_CLEAR_ALARM, 0);
      mix(read32(RTC_ALARM_STATUS));
      break;
    case 2:
      mix(read32(RTC_ALARM_LOW));
      mix(read32(RTC_ALARM_HIGH));
      break;
    case 3:
      write32(RTC_CLEAR_INTERRUPT, 1);
      mix(read32(RTC_IRQ_ENABLED));
      break;
    default: {
      const uint64_t now = rtc_now();
      rtc_ordered &= now >= last_rtc;
      last_rtc = now;
    }
  }
}

static void touch_flash(uint32_t r) {
  const uintptr_t area = r & 1 ? 4 * PATTERN_WORDS : FLASH_BANK_BYTES;
  const uintptr_t address = FLASH_BANK(r >> 1 & 1) + (r >> 4) % area;
  switch (r >> 2 & 3) {
    case 0:
      mix(read8(address));
      break;
    case 1:
      mix(read16(address & ~1UL));
      break;
    case 2:
      mix(read32(address & ~3UL));
      break;
    default:
      mix(read64(address & ~7UL));
  }
}

int main(uintptr_t hart, uintptr_t device_tree) {
  (void)hart, (void)device_tree;
  prepare_flash(0);
  prepare_flash(1);
  for (unsigned round = 0; round < ROUNDS; round++) {
    const uint32_t device = draw() >> 7;
    const uint32_t r = draw();
    switch (device % 5) {
      case 0:
        touch_uart(r);
        break;
      case 1:
        touch_plic(r);
        break;
      case 2:
        touch_aclint(r);
        break;
      case 3:
        touch_rtc(r);
        break;
      default:
        touch_flash(r);
    }
  }
  write32(ACLINT_MSIP(0), 0);
  print_decimal(ROUNDS);
  print(" rounds, checksum ");
  print_hex(checksum, 16);
  print("\n");
  check(mtime_ordered, "mtime never goes back");
  check(rtc_ordered, "the RTC never goes back");
  return conclude("mmio-storm");
}
