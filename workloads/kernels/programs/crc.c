/** CRC-32 (IEEE 802.3) by table and bit by bit: a chain of dependent loads, shifts and exclusive ORs. */
#include "kernel.h"

#define BYTES 65536u
#define ROUNDS 720u
#define POLYNOMIAL 0xedb88320u

const char kernel_name[] = "crc";

static uint8_t data[BYTES];
static uint32_t table[256];

static uint32_t shift_bits(uint32_t crc) {
  for (unsigned bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
  return crc;
}

uint64_t kernel(uint64_t *iterations) {
  uint32_t random = 0xc0ffee11;
  for (uint32_t i = 0; i < BYTES; i++) data[i] = (uint8_t)(draw(&random) >> 13);
  for (uint32_t i = 0; i < 256; i++) table[i] = shift_bits(i);
  uint64_t checksum = CHECKSUM_START;
  for (unsigned round = 0; round < ROUNDS; round++) {
    uint32_t by_table = 0xffffffff;
    for (uint32_t i = 0; i < BYTES; i++) by_table = by_table >> 8 ^ table[(by_table ^ data[i]) & 0xff];
    uint32_t by_bit = 0xffffffff;
    for (uint32_t i = 0; i < BYTES; i += 8) by_bit = shift_bits(by_bit ^ data[i]);
    checksum = mix(checksum, (uint64_t)by_table << 32 | by_bit);
    data[round] ^= (uint8_t)by_table;
    *iterations += BYTES + BYTES / 8;
  }
  return checksum;
}
