/** N-body gravity in leapfrog steps: additions, multiplications, a division and a square root per pair. */
#include "kernel.h"

#define BODIES 16u
#define STEPS 24000u

const char kernel_name[] = "nbody";

static struct body {
  double x, y, z, vx, vy, vz, mass;
} bodies[BODIES];

static double square_root(double value) {
  double root;
  __asm__("fsqrt.d %0, %1" : "=f"(root) : "f"(value));
  return root;
}

static double drawn(uint32_t *random) { return (double)(int32_t)draw(random) / 2147483648.0; }

static void accelerate(double dt) {
  for (unsigned i = 0; i < BODIES; i++) {
    struct body *a = &bodies[i];
    for (unsigned j = i + 1; j < BODIES; j++) {
      struct body *b = &bodies[j];
      const double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      const double square = dx * dx + dy * dy + dz * dz + 0.01;
      const double pull = dt / (square * square_root(square));
      a->vx -= dx * b->mass * pull;
      a->vy -= dy * b->mass * pull;
      a->vz -= dz * b->mass * pull;
      b->vx += dx * a->mass * pull;
      b->vy += dy * a->mass * pull;
      b->vz += dz * a->mass * pull;
    }
  }
}

uint64_t kernel(uint64_t *iterations) {
  uint32_t random = 0x600dbeef;
  for (unsigned i = 0; i < BODIES; i++) {
    bodies[i] = (struct body){.x = drawn(&random), .y = drawn(&random), .z = drawn(&random), .mass = 1.0 / (i + 1)};
  }
  for (unsigned step = 0; step < STEPS; step++) {
    accelerate(0.001);
    for (unsigned i = 0; i < BODIES; i++) {
      bodies[i].x += 0.001 * bodies[i].vx;
      bodies[i].y += 0.001 * bodies[i].vy;
      bodies[i].z += 0.001 * bodies[i].vz;
    }
    *iterations += BODIES * (BODIES - 1) / 2;
  }
  uint64_t checksum = CHECKSUM_START;
  for (unsigned i = 0; i < BODIES; i++) checksum = mix(mix(checksum, bits(bodies[i].x)), bits(bodies[i].vz));
  return checksum;
}
