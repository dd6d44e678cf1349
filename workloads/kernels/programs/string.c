/** Byte-wise text processing: generates, copies, compares, searches for (Boyer-Moore-Horspool) and reverses words. */
#include "kernel.h"

#define BYTES 131072u
#define NEEDLES 96u
#define ROUNDS 14u

const char kernel_name[] = "string";

static char text[BYTES + 1];
static char copy[BYTES + 1];

static uint64_t length(const char *at) {
  const char *end = at;
  while (*end) end++;
  return (uint64_t)(end - at);
}

static void copy_text(char *to, const char *from) {
  while ((*to++ = *from++)) {
  }
}

static int compare(const char *left, const char *right) {
  while (*left && *left == *right) left++, right++;
  return (unsigned char)*left - (unsigned char)*right;
}

static void reverse(char *at, uint64_t bytes) {
  for (uint64_t i = 0; i < bytes / 2; i++) {
    const char c = at[i];
    at[i] = at[bytes - 1 - i];
    at[bytes - 1 - i] = c;
  }
}

/** Number of occurrences of the needle, including overlapping ones. */
static uint64_t occurrences(const char *needle, uint64_t bytes) {
  uint8_t shift[256];
  for (unsigned c = 0; c < 256; c++) shift[c] = (uint8_t)bytes;
  for (uint64_t i = 0; i + 1 < bytes; i++) shift[(uint8_t)needle[i]] = (uint8_t)(bytes - 1 - i);
  uint64_t found = 0;
  for (uint64_t at = 0; at + bytes <= BYTES;) {
    uint64_t i = bytes;
    while (i > 0 && text[at + i - 1] == needle[i - 1]) i--;
    if (i == 0) found++;
    at += i == 0 ? 1 : shift[(uint8_t)text[at + bytes - 1]];
  }
  return found;
}

uint64_t kernel(uint64_t *iterations) {
  uint32_t random = 0x7e57ab1e;
  uint64_t checksum = CHECKSUM_START;
  for (unsigned round = 0; round < ROUNDS; round++) {
    for (uint32_t i = 0; i < BYTES; i++) text[i] = "etaoin shrdlu cm"[draw(&random) >> 11 & 15];
    copy_text(copy, text);
    checksum = mix(checksum, length(copy));
    checksum = mix(checksum, (uint64_t)compare(copy, text));
    for (unsigned needle = 0; needle < NEEDLES; needle++) {
      checksum = mix(checksum, occurrences(copy + (draw(&random) & 0xffff), 3 + needle % 4));
      *iterations += BYTES;
    }
    reverse(copy, BYTES);
    checksum = mix(checksum, (uint64_t)(int64_t)compare(copy, text));
  }
  return checksum;
}
