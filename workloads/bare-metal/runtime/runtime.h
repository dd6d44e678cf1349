/** Common runtime of all programs: console, checks, traps, exit. */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

/** Argument registers of the interrupted code, as saved by trap.S; changes are restored to it. */
struct trap_frame {
  uintptr_t a[8];
};

void print(const char *text);
void print_decimal(uint64_t value);
/** Prints `0x` and `digits` hexadecimal digits. */
void print_hex(uint64_t value, unsigned digits);

/** Prints "PASS what" or "FAIL what" and counts it. */
void check(bool holds, const char *what);
/** Prints the number of checks; returns the value that `main` must return: 0, or 1 after a failure. */
int conclude(const char *program);

/** Ends the machine through the test finisher: 0 is a pass (power off), any other code a failure. */
_Noreturn void power_off(int code);

/** The program's trap handlers, which return the pc to resume at. By default a trap is a failure. */
uintptr_t machine_trap(uintptr_t cause, uintptr_t pc, struct trap_frame *frame);
uintptr_t supervisor_trap(uintptr_t cause, uintptr_t pc, struct trap_frame *frame);
/** Reports a trap that should not have happened and ends the machine with code 2. */
_Noreturn void unexpected_trap(const char *mode, uintptr_t cause, uintptr_t pc);

int main(uintptr_t hart, uintptr_t device_tree);

#endif
