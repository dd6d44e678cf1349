/** Runtime of the kernels, in addition to the programs' common runtime: pseudo-random numbers and checksums. */
#ifndef KERNEL_H
#define KERNEL_H

#include "runtime.h"

/** Marsaglia's xorshift32; each use has its own state, which must not be 0. */
static inline uint32_t draw(uint32_t *state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

#define CHECKSUM_START 0xcbf29ce484222325UL

/** FNV-1a over 64-bit words, which depends on their order. */
static inline uint64_t mix(uint64_t checksum, uint64_t value) { return (checksum ^ value) * 0x100000001b3UL; }

/** The bits of a double, so that a checksum covers all of them. */
static inline uint64_t bits(double value) {
  union {
    double value;
    uint64_t bits;
  } both = {.value = value};
  return both.bits;
}

/** The kernel itself, in the file of its name. Counts its iterations and returns a checksum of its results. */
uint64_t kernel(uint64_t *iterations);

/** Name that is printed with each lap. */
extern const char kernel_name[];

#endif
