/** Largest singular value of the infinite matrix 1/((i+j)(i+j+1)/2+i+1) by the power method: mostly divisions. */
#include "kernel.h"

#define SIDE 260u
#define ROUNDS 120u

const char kernel_name[] = "spectral-norm";

static double u[SIDE];
static double v[SIDE];
static double between[SIDE];

static double element(unsigned i, unsigned j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }

static void times(double *to, const double *from) {
  for (unsigned i = 0; i < SIDE; i++) {
    double sum = 0;
    for (unsigned j = 0; j < SIDE; j++) sum += element(i, j) * from[j];
    to[i] = sum;
  }
}

static void times_transposed(double *to, const double *from) {
  for (unsigned i = 0; i < SIDE; i++) {
    double sum = 0;
    for (unsigned j = 0; j < SIDE; j++) sum += element(j, i) * from[j];
    to[i] = sum;
  }
}

uint64_t kernel(uint64_t *iterations) {
  for (unsigned i = 0; i < SIDE; i++) u[i] = 1;
  for (unsigned round = 0; round < ROUNDS; round++) {
    times(between, u);
    times_transposed(v, between);
    times(between, v);
    times_transposed(u, between);
    *iterations += 4ul * SIDE * SIDE;
  }
  double uv = 0, vv = 0;
  for (unsigned i = 0; i < SIDE; i++) {
    uv += u[i] * v[i];
    vv += v[i] * v[i];
  }
  return mix(mix(CHECKSUM_START, bits(uv)), bits(vv));
}
