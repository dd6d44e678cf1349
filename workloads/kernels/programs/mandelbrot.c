/** The Mandelbrot set: a chain of multiplications and additions in registers only, with a compare per iteration. */
#include "kernel.h"

#define WIDTH 240u
#define HEIGHT 160u
#define DEPTH 2000u

const char kernel_name[] = "mandelbrot";

uint64_t kernel(uint64_t *iterations) {
  uint64_t checksum = CHECKSUM_START;
  for (unsigned row = 0; row < HEIGHT; row++) {
    for (unsigned column = 0; column < WIDTH; column++) {
      const double cx = -2.0 + 3.0 * column / WIDTH;
      const double cy = -1.0 + 2.0 * row / HEIGHT;
      double x = 0, y = 0;
      unsigned depth = 0;
      while (depth < DEPTH && x * x + y * y <= 4.0) {
        const double next = x * x - y * y + cx;
        y = 2 * x * y + cy;
        x = next;
        depth++;
      }
      checksum = mix(checksum, depth);
      *iterations += depth;
    }
  }
  return checksum;
}
