/** Dependent loads over 8 MiB in random order, each address from the previous load: the latency of a memory access. */
#include "kernel.h"

#define NODES 131072u /* one cache line each: 8 MiB on 2048 pages */
#define STEPS 4000000u

const char kernel_name[] = "pointer-chase";

static struct node {
  struct node *next;
  uint64_t value[7];
} nodes[NODES];

static uint32_t order[NODES];

/** A single cycle through all nodes, by Sattolo's algorithm. */
static void link_nodes(void) {
  uint32_t random = 0xcafed00d;
  for (uint32_t i = 0; i < NODES; i++) order[i] = i;
  for (uint32_t i = NODES - 1; i > 0; i--) {
    const uint32_t j = draw(&random) % i;
    const uint32_t other = order[i];
    order[i] = order[j];
    order[j] = other;
  }
  for (uint32_t i = 0; i < NODES; i++) {
    nodes[i].next = &nodes[order[i]];
    nodes[i].value[i % 7] = i;
  }
}

uint64_t kernel(uint64_t *iterations) {
  link_nodes();
  uint64_t checksum = CHECKSUM_START;
  const struct node *at = nodes;
  for (uint32_t step = 0; step < STEPS; step++) {
    checksum += at->value[step % 7];
    at = at->next;
    *iterations += 1;
  }
  return mix(checksum, (uint64_t)(at - nodes));
}
