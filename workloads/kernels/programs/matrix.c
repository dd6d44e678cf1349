/** Matrix multiplication of 64-bit integers in three plain loops: multiplications and strided loads. */
#include "kernel.h"

#define SIDE 160u
#define ROUNDS 60u

const char kernel_name[] = "matrix";

static uint64_t a[SIDE][SIDE];
static uint64_t b[SIDE][SIDE];
static uint64_t product[SIDE][SIDE];

uint64_t kernel(uint64_t *iterations) {
  uint32_t random = 0x0a11ce55;
  for (unsigned i = 0; i < SIDE; i++) {
    for (unsigned j = 0; j < SIDE; j++) {
      a[i][j] = draw(&random);
      b[i][j] = draw(&random);
    }
  }
  uint64_t checksum = CHECKSUM_START;
  for (unsigned round = 0; round < ROUNDS; round++) {
    for (unsigned i = 0; i < SIDE; i++) {
      for (unsigned j = 0; j < SIDE; j++) {
        uint64_t sum = 0;
        for (unsigned k = 0; k < SIDE; k++) sum += a[i][k] * b[k][j];
        product[i][j] = sum;
      }
    }
    for (unsigned i = 0; i < SIDE; i++) {
      for (unsigned j = 0; j < SIDE; j++) {
        checksum = mix(checksum, product[i][j]);
        a[i][j] ^= product[i][j] >> 7;
      }
    }
    *iterations += (uint64_t)SIDE * SIDE * SIDE;
  }
  return checksum;
}
