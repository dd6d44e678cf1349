/** Heap sort of pseudo-random words: compares and swaps across an array larger than a first-level cache. */
#include "kernel.h"

#define WORDS 65536u
#define ROUNDS 36u

const char kernel_name[] = "sort";

static uint32_t words[WORDS];

static void sift(uint32_t root, uint32_t end) {
  const uint32_t value = words[root];
  for (uint32_t child; (child = 2 * root + 1) < end; root = child) {
    if (child + 1 < end && words[child] < words[child + 1]) child++;
    if (words[child] <= value) break;
    words[root] = words[child];
  }
  words[root] = value;
}

static void heap_sort(void) {
  for (uint32_t root = WORDS / 2; root-- > 0;) sift(root, WORDS);
  for (uint32_t end = WORDS; --end > 0;) {
    const uint32_t largest = words[0];
    words[0] = words[end];
    words[end] = largest;
    sift(0, end);
  }
}

uint64_t kernel(uint64_t *iterations) {
  uint32_t random = 0x5eed1ab5;
  uint64_t checksum = CHECKSUM_START;
  for (unsigned round = 0; round < ROUNDS; round++) {
    for (uint32_t i = 0; i < WORDS; i++) words[i] = draw(&random);
    heap_sort();
    for (uint32_t i = 1; i < WORDS; i++) {
      if (words[i - 1] > words[i]) return 0;
    }
    for (uint32_t i = 0; i < WORDS; i += 1021) checksum = mix(checksum, words[i]);
    *iterations += WORDS;
  }
  return checksum;
}
