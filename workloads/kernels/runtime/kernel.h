/** What every kernel gets beside the programs' common runtime: pseudo-random numbers, checksums, the closing line. */
#ifndef KERNEL_H
#define KERNEL_H

#include "runtime.h"

/** Marsaglia's xorshift32; a state of its own per use, never 0. */
static inline uint32_t draw(uint32_t *state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

#define CHECKSUM_START 0xcbf29ce484222325UL

/** FNV-1a over 64-bit words: the order of what is mixed in matters. */
static inline uint64_t mix(uint64_t checksum, uint64_t value) { return (checksum ^ value) * 0x100000001b3UL; }

/** The bits of a double, so that a checksum sees the last of them. */
static inline uint64_t bits(double value) {
  union {
    double value;
    uint64_t bits;
  } both = {.value = value};
  return both.bits;
}

/** The kernel itself, in a file of its own name. It counts its iterations and answers a checksum of what it computed. */
uint64_t kernel(uint64_t *iterations);

/** What the closing line calls it. */
extern const char kernel_name[];

#endif
