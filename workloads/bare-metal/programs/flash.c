/**
 * The second flash bank through the Intel command set (CFI, command set 1): two 16-bit chips side by side, so that a
 * 32-bit command goes to both and both answer. Query, identify, erase, single-word and buffered program, status, lock
 * commands, reads of every size, and execution of code that was programmed.
 */
#include "runtime.h"
#include "virt.h"

#define BOTH(command) ((uint32_t)(command) << 16 | (command))

#define READ_ARRAY BOTH(0xff)
#define READ_IDENTIFIER BOTH(0x90)
#define READ_STATUS BOTH(0x70)
#define READ_QUERY BOTH(0x98)
#define CLEAR_STATUS BOTH(0x50)
#define BLOCK_ERASE BOTH(0x20)
#define CONFIRM BOTH(0xd0)
#define PROGRAM BOTH(0x40)
#define PROGRAM_ALTERNATE BOTH(0x10)
#define WRITE_BUFFER BOTH(0xe8)
#define READY BOTH(0x80)

/** Address of a word of the query table: its index counts words of one chip, hence 4 bytes on the bus. */
#define QUERY(index) (BANK + 4UL * (index))

#define BANK FLASH_BANK(1)
#define BLOCK (BANK + 3 * FLASH_BLOCK_BYTES)
#define BUFFER_WORDS 16u

static bool wait_ready(uintptr_t address) {
  for (unsigned patience = 0; patience < 1000000; patience++) {
    if ((read32(address) & READY) == READY) return true;
  }
  return false;
}

static bool erase(uintptr_t block) {
  write32(block, BLOCK_ERASE);
  write32(block, CONFIRM);
  const bool ready = wait_ready(block);
  write32(block, READ_ARRAY);
  return ready;
}

static bool program(uintptr_t address, uint32_t word, uint32_t command) {
  write32(address, command);
  write32(address, word);
  const bool ready = wait_ready(address);
  write32(address, READ_ARRAY);
  return ready;
}

static bool program_buffer(uintptr_t address, const uint32_t *words, unsigned count) {
  write32(address, WRITE_BUFFER);
  if (!wait_ready(address)) return false;
  write32(address, BOTH(count - 1));
  for (unsigned i = 0; i < count; i++) write32(address + 4 * i, words[i]);
  write32(address, CONFIRM);
  const bool ready = wait_ready(address);
  write32(address, READ_ARRAY);
  return ready;
}

static bool is_erased(uintptr_t start, uintptr_t bytes) {
  for (uintptr_t at = start; at < start + bytes; at += 8) {
    if (read64(at) != ~0UL) return false;
  }
  return true;
}

/** JEDEC JESD68: identification string, command set, size, buffer and the single erase region. */
static void query(void) {
  write32(QUERY(0x55), READ_QUERY);
  check(read32(QUERY(0x10)) == BOTH('Q') && read32(QUERY(0x11)) == BOTH('R') && read32(QUERY(0x12)) == BOTH('Y'),
        "the query table begins with QRY");
  check(read32(QUERY(0x13)) == BOTH(1) && read32(QUERY(0x14)) == 0, "command set 1 (Intel)");
  const uint64_t chip_bytes = 1UL << (read32(QUERY(0x27)) & 0xff);
  check(2 * chip_bytes == FLASH_BANK_BYTES, "two chips make up the bank");
  const uint32_t blocks = (read32(QUERY(0x2d)) & 0xff) + ((read32(QUERY(0x2e)) & 0xff) << 8) + 1;
  const uint32_t block_bytes = ((read32(QUERY(0x2f)) & 0xff) + ((read32(QUERY(0x30)) & 0xff) << 8)) * 256;
  check(2 * block_bytes == FLASH_BLOCK_BYTES && blocks * FLASH_BLOCK_BYTES == FLASH_BANK_BYTES,
        "the erase region covers the bank");
  write32(BANK, READ_IDENTIFIER);
  /* The words depend on the board; both chips must return the same. */
  const uint32_t manufacturer = read32(QUERY(0));
  const uint32_t device = read32(QUERY(1));
  print("manufacturer ");
  print_hex(manufacturer & 0xffff, 4);
  print(", device ");
  print_hex(device & 0xffff, 4);
  print("\n");
  check(manufacturer >> 16 == (manufacturer & 0xffff) && device >> 16 == (device & 0xffff),
        "both chips identify themselves alike");
  write32(BANK, READ_ARRAY);
}

static void erase_and_program(void) {
  /* Erasing one block must not change its neighbours. */
  const uint64_t before = read64(BLOCK - 8);
  const uint64_t after = read64(BLOCK + FLASH_BLOCK_BYTES);
  check(erase(BLOCK), "erase becomes ready");
  check(is_erased(BLOCK, FLASH_BLOCK_BYTES), "the block reads as ones");
  check(read64(BLOCK - 8) == before && read64(BLOCK + FLASH_BLOCK_BYTES) == after, "its neighbours do not change");

  check(program(BLOCK + 8, 0x12345678, PROGRAM), "single word program becomes ready");
  check(program(BLOCK + 12, 0x9abcdef0, PROGRAM_ALTERNATE), "so does its alternate command");
  check(read32(BLOCK + 8) == 0x12345678 && read32(BLOCK + 12) == 0x9abcdef0, "both words read back");
  check(read64(BLOCK + 8) == 0x9abcdef012345678, "8 bytes read back");
  check(read16(BLOCK + 10) == 0x1234 && read16(BLOCK + 12) == 0xdef0, "2 bytes read back");
  check(read8(BLOCK + 8) == 0x78 && read8(BLOCK + 15) == 0x9a, "1 byte reads back");
  check(read32(BLOCK + 4) == ~0u && read32(BLOCK + 16) == ~0u, "the words around stay erased");

  uint32_t words[BUFFER_WORDS];
  for (unsigned i = 0; i < BUFFER_WORDS; i++) words[i] = 0x01010101 * i + 0x89abcdef;
  check(program_buffer(BLOCK + 0x400, words, BUFFER_WORDS), "buffered program becomes ready");
  bool same = true;
  for (unsigned i = 0; i < BUFFER_WORDS; i++) same &= read32(BLOCK + 0x400 + 4 * i) == words[i];
  check(same, "the buffer reads back");
  check(read32(BLOCK + 0x3fc) == ~0u && read32(BLOCK + 0x400 + sizeof words) == ~0u, "and no word more");
}

static void status(void) {
  write32(BLOCK, READ_STATUS);
  check(read32(BLOCK) == READY, "status of both chips is ready, without errors");
  check(read32(BLOCK + 8) == READY, "a chip in status mode shows it at every address");
  const uint64_t other = read64(FLASH_BANK(0));
  check((uint32_t)other != READY || (other >> 32) != READY, "the other bank is still in array mode");
  write32(BLOCK, CLEAR_STATUS);
  write32(BLOCK, READ_ARRAY);
  check(read32(BLOCK + 8) == 0x12345678, "read array ends it");
}

/** A function of two instructions, programmed and called: flash in array mode is memory that can be executed. */
static void execute(void) {
  static const uint32_t code[] = {
    0x02a00513, /* li a0, 42 */
    0x00008067, /* ret */
  };
  const uintptr_t address = BLOCK + 0x1000;
  check(program_buffer(address, code, 2), "code is programmed");
  __asm__ volatile("fence.i" ::: "memory");
  /* The address of a function in flash, which no declaration can express. */
  int (*function)(void) = (int (*)(void))address;
  check(function() == 42, "code in flash runs");
}

int main(uintptr_t hart, uintptr_t device_tree) {
  (void)hart, (void)device_tree;
  query();
  erase_and_program();
  status();
  execute();
  check(erase(BLOCK) && is_erased(BLOCK, FLASH_BLOCK_BYTES), "a second erase takes everything away");
  return conclude("flash");
}
