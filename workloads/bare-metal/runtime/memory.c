/** Functions that GCC may call implicitly even in a freestanding program (GCC manual, section 2.1). */
#include <stddef.h>

void *memset(void *to, int byte, size_t count);
void *memcpy(void *restrict to, const void *restrict from, size_t count);

void *memset(void *to, int byte, size_t count) {
  for (unsigned char *at = to; count; count--) *at++ = (unsigned char)byte;
  return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
  const unsigned char *source = from;
  for (unsigned char *at = to; count; count--) *at++ = *source++;
  return to;
}
