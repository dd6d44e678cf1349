/** An open-addressing hash table: inserts, finds and deletes 64-bit keys; multiplications and scattered loads. */
#include "kernel.h"

#define SLOTS 131072u
#define KEYS 90000u
#define ROUNDS 20u

const char kernel_name[] = "hash";

static uint64_t keys[SLOTS]; /* 0: free */
static uint64_t values[SLOTS];

/** The finalizer of MurmurHash3, by Austin Appleby, in the public domain. */
static uint64_t scramble(uint64_t key) {
  key ^= key >> 33;
  key *= 0xff51afd7ed558ccdUL;
  key ^= key >> 33;
  key *= 0xc4ceb9fe1a85ec53UL;
  return key ^ key >> 33;
}

/** Slot of a key, or the free slot to insert it in. */
static uint32_t slot_of(uint64_t key) {
  uint32_t slot = (uint32_t)scramble(key) % SLOTS;
  while (keys[slot] != 0 && keys[slot] != key) slot = (slot + 1) % SLOTS;
  return slot;
}

/** Removes a key and closes the gap that it leaves in its run of slots. */
static void take_out(uint32_t gap) {
  for (uint32_t at = (gap + 1) % SLOTS; keys[at] != 0; at = (at + 1) % SLOTS) {
    const uint32_t home = (uint32_t)scramble(keys[at]) % SLOTS;
    if ((at - home) % SLOTS < (at - gap) % SLOTS) continue;
    keys[gap] = keys[at];
    values[gap] = values[at];
    gap = at;
  }
  keys[gap] = 0;
}

uint64_t kernel(uint64_t *iterations) {
  uint64_t checksum = CHECKSUM_START;
  for (unsigned round = 0; round < ROUNDS; round++) {
    const uint64_t base = 1 + (uint64_t)round * 7919;
    for (uint64_t i = 0; i < KEYS; i++) {
      const uint32_t slot = slot_of(base + i * 3);
      keys[slot] = base + i * 3;
      values[slot] = i ^ round;
    }
    for (uint64_t i = 0; i < KEYS; i++) {
      const uint32_t slot = slot_of(base + i * 3);
      checksum = mix(checksum, values[slot]);
      take_out(slot);
      *iterations += 1;
    }
  }
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    if (keys[slot] != 0) return 0;
  }
  return checksum;
}
