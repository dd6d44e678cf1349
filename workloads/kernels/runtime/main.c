#include "csr.h"
#include "kernel.h"

#define MSTATUS_FS_INITIAL (1UL << 13)

/** A kernel prints one line: its iterations and checksum. Both are the same on every machine. */
int main(uintptr_t hart, uintptr_t device_tree) {
  (void)hart, (void)device_tree;
  csr_set(mstatus, MSTATUS_FS_INITIAL); /* floating point is off after reset */
  uint64_t iterations = 0;
  const uint64_t checksum = kernel(&iterations);
  print(kernel_name);
  print(": ");
  print_decimal(iterations);
  print(" iterations, checksum ");
  print_hex(checksum, 16);
  print("\n");
  return 0;
}
