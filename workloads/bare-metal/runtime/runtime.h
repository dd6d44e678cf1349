/** What every program gets: console, checks, traps, the way out. */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

/** Argument registers of the interrupted code, as trap.S saved them; changes reach it. */
struct trap_frame {
  uintptr_t a[8];
};

void print(const char *text);
void print_decimal(uint64_t value);
/** Prints `0x` and `digits` hexadecimal digits. */
void print_hex(uint64_t value, unsigned digits);

/** Prints "PASS what" or "FAIL what" and counts it. */
void check(bool holds, const char *what);
/** Prints the count of checks; answers what `main` shall return: 0, or 1 after a failure. */
int conclude(const char *program);

/** Ends the machine through the test finisher: 0 is a pass (power off), everything else a failure with that code. */
_Noreturn void power_off(int code);

/** The program's trap handlers; they answer the pc to resume at. Unless a program has its own, a trap is a failure. */
uintptr_t machine_trap(uintptr_t cause, uintptr_t pc, struct trap_frame *frame);
uintptr_t supervisor_trap(uintptr_t cause, uintptr_t pc, struct trap_frame *frame);
/** Reports a trap that should not have happened and ends the machine with code 2. */
_Noreturn void unexpected_trap(const char *mode, uintptr_t cause, uintptr_t pc);

int main(uintptr_t hart, uintptr_t device_tree);

#endif
