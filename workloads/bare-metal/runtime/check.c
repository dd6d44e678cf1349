#include "runtime.h"
#include "virt.h"

static unsigned checks;
static unsigned failures;

void check(bool holds, const char *what) {
  checks++;
  if (!holds) failures++;
  print(holds ? "PASS " : "FAIL ");
  print(what);
  print("\n");
}

int conclude(const char *program) {
  print(program);
  print(": ");
  print_decimal(checks);
  print(" checks, ");
  print_decimal(failures);
  print(" failed\n");
  return failures != 0;
}

_Noreturn void power_off(int code) {
  write32(FINISHER, code ? FINISHER_FAIL | (uint32_t)code << 16 : FINISHER_PASS);
  for (;;) {
  }
}

_Noreturn void unexpected_trap(const char *mode, uintptr_t cause, uintptr_t pc) {
  print("FAIL trap in ");
  print(mode);
  print(": cause ");
  print_hex(cause, 16);
  print(", pc ");
  print_hex(pc, 16);
  print("\n");
  power_off(2);
}

__attribute__((weak)) uintptr_t machine_trap(uintptr_t cause, uintptr_t pc, struct trap_frame *frame) {
  (void)frame;
  unexpected_trap("M-mode", cause, pc);
}

__attribute__((weak)) uintptr_t supervisor_trap(uintptr_t cause, uintptr_t pc, struct trap_frame *frame) {
  (void)frame;
  unexpected_trap("S-mode", cause, pc);
}
