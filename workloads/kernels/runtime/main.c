#include "csr.h"
#include "kernel.h"

#define MSTATUS_FS_INITIAL (1UL << 13)
#define LAPS 6u

/**
 * Runs the kernel in laps and prints its iterations and checksum after each. Both are the same in every lap and on
 * every machine.
 */
int main(uintptr_t hart, uintptr_t device_tree) {
  (void)hart, (void)device_tree;
  csr_set(mstatus, MSTATUS_FS_INITIAL); /* floating point is off after reset */
  for (unsigned lap = 1; lap <= LAPS; lap++) {
    uint64_t iterations = 0;
    const uint64_t checksum = kernel(&iterations);
    print(kernel_name);
    print(", lap ");
    print_decimal(lap);
    print(": ");
    print_decimal(iterations);
    print(" iterations, checksum ");
    print_hex(checksum, 16);
    print("\n");
  }
  return 0;
}
