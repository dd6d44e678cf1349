/** The smallest complete run: print a greeting, check the device tree passed by the boot ROM, power off. */
#include "csr.h"
#include "runtime.h"
#include "virt.h"

#define DEVICE_TREE_MAGIC 0xd00dfeedu /* Devicetree specification, section 5.2; big-endian */

int main(uintptr_t hart, uintptr_t device_tree) {
  print("Hello from hart ");
  print_decimal(hart);
  print(" of a RISC-V virt board\n");
  check(hart == csr_read(mhartid), "a0 is the hart number");
  check(__builtin_bswap32(read32(device_tree)) == DEVICE_TREE_MAGIC, "a1 is the address of a device tree");
  return conclude("hello");
}
