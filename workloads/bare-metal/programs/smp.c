/**
 * Four harts at once: locks, atomics, reserved stores, messages through memory, inter-processor interrupts, code that
 * another hart has written, and time. The output does not depend on which hart is faster.
 */
#include "csr.h"
#include "runtime.h"
#include "virt.h"

#define HARTS 4u
#define ROUNDS 2000u
#define MESSAGES 200u
#define LAPS 50u

void secondary(uintptr_t hart);

static inline void pause_hint(void) { __asm__ volatile(".4byte 0x0100000f" ::: "memory"); }

/** A barrier: the last hart to arrive opens it. */
static unsigned arrived;
static unsigned generation;

static void wait_for_all(void) {
  unsigned before = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);
  if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) == HARTS) {
    __atomic_store_n(&arrived, 0, __ATOMIC_RELAXED);
    __atomic_add_fetch(&generation, 1, __ATOMIC_RELEASE);
    return;
  }
  while (__atomic_load_n(&generation, __ATOMIC_ACQUIRE) == before) pause_hint();
}

/** A lock based on amoswap, and the data that it guards. */
static unsigned lock;
static volatile unsigned guarded;
static volatile unsigned holders;
static volatile unsigned intrusions;
static volatile uint64_t latest_time;
static volatile unsigned backward_times;

static void take_lock(void) {
  while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE) != 0) pause_hint();
}

static void release_lock(void) { __atomic_store_n(&lock, 0, __ATOMIC_RELEASE); }

static void use_lock(void) {
  for (unsigned round = 0; round < ROUNDS; round++) {
    take_lock();
    if (++holders != 1) intrusions++;
    guarded++;
    uint64_t time = read64(ACLINT_MTIME);
    if (time < latest_time) backward_times++;
    latest_time = time;
    holders--;
    release_lock();
  }
}

/** Atomic operations whose result does not depend on the order. */
static int64_t sum, largest, smallest = INT64_MAX;
static uint64_t parity, all_bits, common_bits = UINT64_MAX;
static int32_t word_sum;

#define AMO(operation, memory, value) \
  __asm__ volatile("amo" #operation " zero, %1, %0" : "+A"(memory) : "r"(value) : "memory")

static void use_atomics(uintptr_t hart) {
  for (unsigned round = 0; round < ROUNDS; round++) {
    int64_t value = (int64_t)(hart * ROUNDS + round);
    AMO(add.d, sum, value);
    AMO(add.w, word_sum, -1);
    AMO(max.d, largest, value);
    AMO(min.d, smallest, value + 7);
    AMO(xor.d, parity, (uint64_t)value * 0x9e3779b97f4a7c15u);
    AMO(or.d, all_bits, 1ul << (value % 64));
    AMO(and.d, common_bits, ~(1ul << hart));
  }
}

/** Load-reserved and store-conditional, with work between them during which other harts may interfere. */
static uint64_t reserved_sum;
static uint32_t reserved_word;

static void use_reservations(void) {
  for (unsigned round = 0; round < ROUNDS; round++) {
    uint64_t old;
    uint64_t failed;
    do {
      __asm__ volatile("lr.d.aq %0, %2\n addi %0, %0, 3\n sc.d.rl %1, %0, %2"
                       : "=&r"(old), "=&r"(failed), "+A"(reserved_sum)::"memory");
    } while (failed);
    do {
      __asm__ volatile("lr.w %0, %2\n addi %0, %0, 5\n sc.w %1, %0, %2"
                       : "=&r"(old), "=&r"(failed), "+A"(reserved_word)::"memory");
    } while (failed);
  }
}

/** A value is passed around: each hart waits for its turn, changes it and passes it on. */
static volatile uint64_t letter = 1;
static unsigned turn;

static void pass_messages(uintptr_t hart) {
  for (unsigned round = 0; round < MESSAGES; round++) {
    while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != hart) pause_hint();
    letter = letter * 6364136223846793005u + hart;
    __atomic_store_n(&turn, (hart + 1) % HARTS, __ATOMIC_RELEASE);
  }
}

/** Software interrupts are passed around: each hart sleeps until its own, and raises that of the next hart. */
static volatile unsigned interrupts[HARTS];

uintptr_t machine_trap(uintptr_t cause, uintptr_t pc, struct trap_frame *frame) {
  (void)frame;
  if (cause != (CAUSE_INTERRUPT | MACHINE_SOFTWARE)) unexpected_trap("M-mode", cause, pc);
  uintptr_t hart = csr_read(mhartid);
  write32(ACLINT_MSIP(hart), 0);
  interrupts[hart]++;
  return pc;
}

static void pass_interrupts(uintptr_t hart) {
  csr_set(mie, 1ul << MACHINE_SOFTWARE);
  wait_for_all();
  if (hart == 0) write32(ACLINT_MSIP(1), 1);
  for (unsigned lap = 1; lap <= LAPS; lap++) {
    csr_clear(mstatus, MSTATUS_MIE);
    while (interrupts[hart] < lap) {
      wait_for_interrupt(); // wakes up even with interrupts off, so that none is missed
      csr_set(mstatus, MSTATUS_MIE);
      csr_clear(mstatus, MSTATUS_MIE);
    }
    if (hart != 0 || lap < LAPS) write32(ACLINT_MSIP((hart + 1) % HARTS), 1);
  }
  csr_clear(mie, 1ul << MACHINE_SOFTWARE);
}

/** Code that hart 0 writes and all harts execute: `li a0, value; ret`. */
static uint32_t code[2] __attribute__((aligned(8)));
static volatile unsigned wrong_values;

static void execute_new_code(uintptr_t hart) {
  for (unsigned value = 1; value <= LAPS; value++) {
    if (hart == 0) {
      ((volatile uint32_t *)code)[0] = value << 20 | 0x513;
      ((volatile uint32_t *)code)[1] = 0x8067;
    }
    wait_for_all();
    __asm__ volatile("fence.i" ::: "memory");
    unsigned answer = ((unsigned (*)(void))(uintptr_t)code)();
    if (answer != value) __atomic_add_fetch(&wrong_values, 1, __ATOMIC_RELAXED);
    wait_for_all();
  }
}

static unsigned present;

static void work(uintptr_t hart) {
  __atomic_or_fetch(&present, 1u << hart, __ATOMIC_RELAXED);
  wait_for_all();
  use_lock();
  wait_for_all();
  use_atomics(hart);
  wait_for_all();
  use_reservations();
  wait_for_all();
  pass_messages(hart);
  wait_for_all();
  pass_interrupts(hart);
  wait_for_all();
  execute_new_code(hart);
  wait_for_all();
}

void secondary(uintptr_t hart) { work(hart); }

static void report(const char *what, uint64_t value) {
  print(what);
  print(" ");
  print_hex(value, 16);
  print("\n");
}

int main(uintptr_t hart, uintptr_t device_tree) {
  (void)device_tree;
  work(hart);
  check(present == (1u << HARTS) - 1, "four harts started");
  check(guarded == HARTS * ROUNDS, "a lock lets each hart count in peace");
  check(intrusions == 0, "no two harts held it at once");
  check(backward_times == 0, "time never went back from one hart to another");
  int64_t all = HARTS * ROUNDS;
  check(sum == all * (all - 1) / 2, "amoadd.d adds for all");
  check(word_sum == -all, "amoadd.w adds for all");
  check(largest == all - 1 && smallest == 7, "amomax.d and amomin.d find the extremes of all");
  check(all_bits == UINT64_MAX && common_bits == ~15ul, "amoor.d and amoand.d join the bits of all");
  report("amoxor.d", parity);
  check(reserved_sum == 3 * (uint64_t)all && reserved_word == 5 * all, "a store-conditional never loses another's store");
  report("messages", letter);
  bool each = true;
  for (unsigned index = 0; index < HARTS; index++) each = each && interrupts[index] == LAPS;
  check(each, "software interrupts reached each hart, once a lap");
  check(wrong_values == 0, "each hart executes code that another wrote");
  return conclude("smp");
}
