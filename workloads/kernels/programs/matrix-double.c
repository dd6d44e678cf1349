/** Matrix multiplication of doubles in three plain loops: fused multiply-adds and strided loads. */
#include "kernel.h"

#define SIDE 128u
#define ROUNDS 36u

const char kernel_name[] = "matrix-double";

static double a[SIDE][SIDE];
static double b[SIDE][SIDE];
static double product[SIDE][SIDE];

uint64_t kernel(uint64_t *iterations) {
  uint32_t random = 0xd0b1e5;
  for (unsigned i = 0; i < SIDE; i++) {
    for (unsigned j = 0; j < SIDE; j++) {
      a[i][j] = (double)(int32_t)draw(&random) / 2147483648.0;
      b[i][j] = (double)(int32_t)draw(&random) / 2147483648.0;
    }
  }
  uint64_t checksum = CHECKSUM_START;
  for (unsigned round = 0; round < ROUNDS; round++) {
    for (unsigned i = 0; i < SIDE; i++) {
      for (unsigned j = 0; j < SIDE; j++) {
        double sum = 0;
        for (unsigned k = 0; k < SIDE; k++) sum += a[i][k] * b[k][j];
        product[i][j] = sum;
      }
    }
    for (unsigned i = 0; i < SIDE; i++) {
      for (unsigned j = 0; j < SIDE; j++) {
        checksum = mix(checksum, bits(product[i][j]));
        a[i][j] = product[i][j] / SIDE;
      }
    }
    *iterations += (uint64_t)SIDE * SIDE * SIDE;
  }
  return checksum;
}
