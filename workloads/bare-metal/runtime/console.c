#include "runtime.h"
#include "virt.h"

void console_init(void);

void console_init(void) {
  write8(UART_IER, 0);
  write8(UART_LCR, UART_LCR_8N1);
  write8(UART_FCR, 0x07); /* FIFOs on and emptied */
}

static void put(char c) {
  while (!(read8(UART_LSR) & UART_LSR_THRE)) {
  }
  write8(UART_THR, (uint8_t)c);
}

void print(const char *text) {
  for (; *text; text++) put(*text);
}

void print_decimal(uint64_t value) {
  char digits[21];
  char *first = digits + sizeof digits - 1;
  *first = 0;
  do {
    *--first = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  print(first);
}

void print_hex(uint64_t value, unsigned digits) {
  print("0x");
  while (digits--) put("0123456789abcdef"[value >> 4 * digits & 15]);
}
