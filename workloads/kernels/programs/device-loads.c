/** Ten million loads from a device register: the UART's scratch register, which returns the value last written. */
#include "kernel.h"
#include "virt.h"

#define LOADS 10000000u

const char kernel_name[] = "device-loads";

uint64_t kernel(uint64_t *iterations) {
  uint64_t sum = 0;
  write8(UART_SCR, 0xa5);
  for (uint32_t i = 0; i < LOADS; i++) sum += read8(UART_SCR);
  *iterations = LOADS;
  return mix(CHECKSUM_START, sum);
}
