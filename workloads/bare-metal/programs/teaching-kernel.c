/**
 * A minimal teaching kernel: S-mode with Sv39 page tables, three processes in separate address spaces, system calls,
 * preemption by the timer (Sstc), demand paging, and a virtio disk that interrupts through the PLIC.
 * Requires a disk of 64 sectors in one of the virtio-mmio transports, legacy or modern, whose 32-bit words are
 * `sector * 0x01010101 ^ index of the word in the sector`. Leaves its third sector with all bits inverted.
 *
 * Sources: privileged ISA 1.12, chapters 3 and 4; Sstc; VIRTIO 1.2, sections 2.7, 4.2 and 5.2.
 */
#include "csr.h"
#include "runtime.h"
#include "virt.h"

#define PAGE 4096u
#define BIT(number) (1UL << (number))

void run_in_supervisor(void (*function)(void));

/* --- Pages and page tables -------------------------------------------------------------------------------------------- */

#define PTE_VALID 0x01u
#define PTE_READ 0x02u
#define PTE_WRITE 0x04u
#define PTE_EXECUTE 0x08u
#define PTE_USER 0x10u
#define PTE_ACCESSED_DIRTY 0xc0u
#define SATP_SV39 (8UL << 60)
#define GIB (1UL << 30)

typedef uint64_t table[PAGE / 8];

static uint8_t pool[48][PAGE] __attribute__((aligned(PAGE)));
static unsigned pages_used;

static void *new_page(void) {
  if (pages_used == sizeof pool / PAGE) {
    print("FAIL out of pages\n");
    power_off(3);
  }
  return pool[pages_used++];
}

static uint64_t entry_for(const void *page, unsigned flags) { return (uintptr_t)page >> 12 << 10 | flags; }

/** Maps devices below 1 GiB and RAM from 2 GiB at their physical addresses, for the supervisor only. */
static uint64_t *new_address_space(void) {
  uint64_t *root = new_page();
  root[0] = entry_for((void *)0, PTE_VALID | PTE_READ | PTE_WRITE | PTE_ACCESSED_DIRTY);
  root[2] = entry_for((void *)(2 * GIB), PTE_VALID | PTE_READ | PTE_WRITE | PTE_EXECUTE | PTE_ACCESSED_DIRTY);
  return root;
}

static void map(uint64_t *root, uintptr_t address, const void *page, unsigned flags) {
  uint64_t *at = root;
  for (unsigned level = 2; level > 0; level--) {
    uint64_t *entry = &at[address >> (12 + 9 * level) & 511];
    if (!(*entry & PTE_VALID)) *entry = entry_for(new_page(), PTE_VALID);
    at = (uint64_t *)(*entry >> 10 << 12);
  }
  at[address >> 12 & 511] = entry_for(page, flags | PTE_VALID | PTE_USER);
}

static void use(const uint64_t *root) {
  csr_write(satp, SATP_SV39 | (uintptr_t)root >> 12);
  __asm__ volatile("sfence.vma" ::: "memory");
}

/* --- Processes -------------------------------------------------------------------------------------------------------- */

#define USER_TEXT 0x1000000000UL
#define USER_HEAP 0x1000400000UL
#define HEAP_PAGES 8u
#define CALL_EXIT 1u
#define CALL_IDENTITY 2u
#define CAUSE_USER_CALL 8u
#define CAUSE_LOAD_PAGE_FAULT 13u
#define CAUSE_STORE_PAGE_FAULT 15u
#define TICK 2000u /* 200 microseconds */

/** Registers of a process; the assembly below depends on the offsets. */
struct context {
  uint64_t kernel_stack;
  uint64_t pc;
  uint64_t x[32];
};

struct process {
  struct context context;
  uint64_t *root;
  unsigned identity;
  unsigned page_faults, ticks;
  bool ended;
  /** scause of the exception that killed it, or 0. */
  uint64_t killed_by;
  uint64_t result;
};

/** Runs in U-mode until the next trap. */
void user_enter(struct context *context);
void user_trap(void);

/* The text of every process. user_program fills its heap with sums that depend on its identity, adds them up, and exits
 * with the result. The first heap page is mapped, the others on demand. user_intruder reads the kernel's memory. */
extern const uint8_t user_program[], user_intruder[], user_end[];

__asm__(
    ".text\n"
    ".balign 4\n"
    "user_program:\n"
    "  li a7, 2\n"
    "  ecall\n" /* a0 = identity */
    "  li t0, 0x1000400000\n"
    "  li t1, 8 * 512\n"
    "  mv t2, a0\n"
    "1: sd t2, 0(t0)\n"
    "  add t2, t2, a0\n"
    "  addi t0, t0, 8\n"
    "  addi t1, t1, -1\n"
    "  bnez t1, 1b\n"
    "  li t4, 1500\n" /* rounds, enough to be interrupted on any machine */
    "  li a0, 0\n"
    "2: li t0, 0x1000400000\n"
    "  li t1, 8 * 512\n"
    "3: ld t2, 0(t0)\n"
    "  add a0, a0, t2\n"
    "  addi t0, t0, 8\n"
    "  addi t1, t1, -1\n"
    "  bnez t1, 3b\n"
    "  addi t4, t4, -1\n"
    "  bnez t4, 2b\n"
    "  li a7, 1\n"
    "  ecall\n"
    "user_intruder:\n"
    "  li t0, 0x80000000\n"
    "  ld a0, 0(t0)\n"
    "  li a7, 1\n"
    "  ecall\n"
    "user_end:\n"

    ".globl user_enter\n"
    "user_enter:\n"
    "  addi sp, sp, -112\n"
    "  sd ra, 0(sp)\n  sd s0, 8(sp)\n  sd s1, 16(sp)\n  sd s2, 24(sp)\n  sd s3, 32(sp)\n  sd s4, 40(sp)\n"
    "  sd s5, 48(sp)\n  sd s6, 56(sp)\n  sd s7, 64(sp)\n  sd s8, 72(sp)\n  sd s9, 80(sp)\n  sd s10, 88(sp)\n"
    "  sd s11, 96(sp)\n"
    "  sd sp, 0(a0)\n"
    "  csrw sscratch, a0\n"
    "  ld t0, 8(a0)\n"
    "  csrw sepc, t0\n"
    "  .irp n,1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,10\n"
    "  ld x\\n, 16 + 8 * \\n(a0)\n"
    "  .endr\n"
    "  sret\n"

    ".balign 4\n"
    ".globl user_trap\n"
    "user_trap:\n"
    "  csrrw a0, sscratch, a0\n"
    "  .irp n,1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "  sd x\\n, 16 + 8 * \\n(a0)\n"
    "  .endr\n"
    "  csrr t0, sscratch\n"
    "  sd t0, 96(a0)\n"
    "  csrr t0, sepc\n"
    "  sd t0, 8(a0)\n"
    "  ld sp, 0(a0)\n"
    "  ld ra, 0(sp)\n  ld s0, 8(sp)\n  ld s1, 16(sp)\n  ld s2, 24(sp)\n  ld s3, 32(sp)\n  ld s4, 40(sp)\n"
    "  ld s5, 48(sp)\n  ld s6, 56(sp)\n  ld s7, 64(sp)\n  ld s8, 72(sp)\n  ld s9, 80(sp)\n  ld s10, 88(sp)\n"
    "  ld s11, 96(sp)\n"
    "  addi sp, sp, 112\n"
    "  ret\n");

static void copy(void *to, const void *from, unsigned long bytes) {
  for (unsigned long i = 0; i < bytes; i++) ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
}

static void create(struct process *process, unsigned identity, const uint8_t *start) {
  *process = (struct process){.identity = identity, .root = new_address_space()};
  uint8_t *text = new_page();
  copy(text, user_program, (unsigned long)(user_end - user_program));
  map(process->root, USER_TEXT, text, PTE_READ | PTE_EXECUTE | PTE_ACCESSED_DIRTY);
  map(process->root, USER_HEAP, new_page(), PTE_READ | PTE_WRITE); /* hardware sets the accessed and dirty bits */
  process->context.pc = USER_TEXT + (uintptr_t)(start - user_program);
}

static void set_timer(uint64_t time) { __asm__ volatile("csrw 0x14d, %0" ::"r"(time)); /* stimecmp */ }

/** Maps a heap page on its first access. Any other fault kills the process. */
static void serve_page_fault(struct process *process, uint64_t cause, uintptr_t address) {
  if (address < USER_HEAP || address >= USER_HEAP + HEAP_PAGES * PAGE) {
    process->killed_by = cause;
    process->ended = true;
    return;
  }
  map(process->root, address & -(uintptr_t)PAGE, new_page(), PTE_READ | PTE_WRITE);
  __asm__ volatile("sfence.vma %0" ::"r"(address) : "memory");
  process->page_faults++;
}

static void serve_call(struct process *process) {
  uint64_t *x = process->context.x;
  process->context.pc += 4;
  if (x[17] == CALL_IDENTITY) {
    x[10] = process->identity;
    return;
  }
  process->result = x[10];
  process->ended = true;
}

/** Runs a process for a tick, or until it ends. */
static void run(struct process *process) {
  use(process->root);
  csr_clear(sstatus, BIT(8)); /* SPP: to U-mode, where interrupts are on regardless of SIE */
  set_timer(csr_read(time) + TICK);
  while (!process->ended) {
    user_enter(&process->context);
    const uint64_t cause = csr_read(scause);
    if (cause == (CAUSE_INTERRUPT | SUPERVISOR_TIMER)) {
      process->ticks++;
      break;
    }
    if (cause == CAUSE_USER_CALL) {
      serve_call(process);
    } else if (cause == CAUSE_LOAD_PAGE_FAULT || cause == CAUSE_STORE_PAGE_FAULT) {
      serve_page_fault(process, cause, csr_read(stval));
    } else {
      unexpected_trap("U-mode", cause, process->context.pc);
    }
  }
  set_timer(~0UL);
}

static uint64_t expected_result(uint64_t identity) {
  const uint64_t words = HEAP_PAGES * PAGE / 8;
  return 1500 * identity * (words * (words + 1) / 2);
}

static void processes(void) {
  static struct process all[3];
  create(&all[0], 1, user_program);
  create(&all[1], 2, user_program);
  create(&all[2], 3, user_intruder);
  for (bool busy = true; busy;) {
    busy = false;
    for (unsigned i = 0; i < 3; i++) {
      if (all[i].ended) continue;
      run(&all[i]);
      busy = true;
    }
  }
  check(all[0].result == expected_result(1) && all[1].result == expected_result(2),
        "two processes at the same addresses compute what is theirs");
  check(all[0].page_faults == HEAP_PAGES - 1 && all[1].page_faults == HEAP_PAGES - 1, "their pages came on demand");
  check(all[0].ticks > 0 && all[1].ticks > 0, "the timer took turns with them");
  check(all[2].killed_by == CAUSE_LOAD_PAGE_FAULT && all[2].result == 0, "one that read the kernel's memory was killed");
}

/* --- The disk --------------------------------------------------------------------------------------------------------- */

#define TRANSPORT(slot) (0x10001000UL + 0x1000UL * (slot))
#define TRANSPORTS 8u
#define TRANSPORT_SOURCE(slot) (1u + (slot))
#define VIRTIO_MAGIC 0x74726976u
#define VIRTIO_BLOCK 2u
#define QUEUE_ENTRIES 8u
#define SECTOR 512u
#define DISK_SECTORS 64u
#define BLOCK_READ 0u
#define BLOCK_WRITE 1u
#define STATUS_OK 0u
#define STATUS_IO_ERROR 1u

enum {
  MAGIC = 0x000,
  VERSION = 0x004,
  DEVICE_ID = 0x008,
  DRIVER_FEATURES = 0x020,
  DRIVER_FEATURES_SEL = 0x024,
  GUEST_PAGE_SIZE = 0x028,
  QUEUE_SEL = 0x030,
  QUEUE_NUM_MAX = 0x034,
  QUEUE_NUM = 0x038,
  QUEUE_ALIGN = 0x03c,
  QUEUE_PFN = 0x040,
  QUEUE_READY = 0x044,
  QUEUE_NOTIFY = 0x050,
  INTERRUPT_STATUS = 0x060,
  INTERRUPT_ACK = 0x064,
  STATUS = 0x070,
  QUEUE_DESC = 0x080,
  QUEUE_DRIVER = 0x090,
  QUEUE_DEVICE = 0x0a0,
  CAPACITY = 0x100,
};

struct descriptor {
  uint64_t address;
  uint32_t length;
  uint16_t flags, next;
};

/** Layout of the legacy interface: contiguous, with the part that the device writes on a page of its own. */
static struct {
  struct descriptor descriptors[QUEUE_ENTRIES];
  struct {
    uint16_t flags, index, ring[QUEUE_ENTRIES];
  } available;
  struct {
    uint16_t flags, index;
    struct {
      uint32_t id, length;
    } ring[QUEUE_ENTRIES];
  } used __attribute__((aligned(4096)));
} queue __attribute__((aligned(4096)));

static uintptr_t transport;
static unsigned source;
static uint16_t seen;

static uint32_t get(unsigned at) { return read32(transport + at); }
static void set(unsigned at, uint32_t value) { write32(transport + at, value); }
static void set_address(unsigned at, const volatile void *address) {
  set(at, (uint32_t)(uintptr_t)address);
  set(at + 4, (uint32_t)((uintptr_t)address >> 32));
}

static bool find_disk(void) {
  for (unsigned slot = 0; slot < TRANSPORTS; slot++) {
    transport = TRANSPORT(slot);
    source = TRANSPORT_SOURCE(slot);
    if (get(MAGIC) == VIRTIO_MAGIC && get(DEVICE_ID) == VIRTIO_BLOCK) return true;
  }
  return false;
}

/** Sections 3.1.1 and 4.2.3. Negotiates no feature except VIRTIO_F_VERSION_1 on the modern interface. */
static bool start_disk(void) {
  const bool legacy = get(VERSION) == 1;
  set(STATUS, 0);
  set(STATUS, 1 | 2);
  set(DRIVER_FEATURES_SEL, 0);
  set(DRIVER_FEATURES, 0);
  if (legacy) {
    set(GUEST_PAGE_SIZE, PAGE);
  } else {
    set(DRIVER_FEATURES_SEL, 1);
    set(DRIVER_FEATURES, 1);
    set(STATUS, 1 | 2 | 8);
    if (!(get(STATUS) & 8)) return false;
  }
  set(QUEUE_SEL, 0);
  if (get(QUEUE_NUM_MAX) < QUEUE_ENTRIES) return false;
  set(QUEUE_NUM, QUEUE_ENTRIES);
  if (legacy) {
    set(QUEUE_ALIGN, PAGE);
    set(QUEUE_PFN, (uint32_t)((uintptr_t)&queue / PAGE));
  } else {
    set_address(QUEUE_DESC, queue.descriptors);
    set_address(QUEUE_DRIVER, &queue.available);
    set_address(QUEUE_DEVICE, &queue.used);
    set(QUEUE_READY, 1);
  }
  set(STATUS, get(STATUS) | 4);
  write32(PLIC_PRIORITY(source), 1);
  write32(PLIC_ENABLE(PLIC_SUPERVISOR, 0), 1u << source);
  write32(PLIC_THRESHOLD(PLIC_SUPERVISOR), 0);
  return true;
}

/** Waits in wfi for an interrupt and serves it; returns whether it was the disk's. */
static bool await_interrupt(void) {
  while (!(csr_read(sip) & BIT(SUPERVISOR_EXTERNAL))) wait_for_interrupt();
  const unsigned claimed = read32(PLIC_CLAIM(PLIC_SUPERVISOR));
  set(INTERRUPT_ACK, get(INTERRUPT_STATUS));
  write32(PLIC_CLAIM(PLIC_SUPERVISOR), claimed);
  return claimed == source;
}

/** Status of a request for one sector (section 5.2.6), or 255 if its interrupt went wrong. */
static unsigned transfer(unsigned type, uint64_t sector, uint32_t *words) {
  static struct {
    uint32_t type, reserved;
    uint64_t sector;
  } header;
  static volatile uint8_t status;
  header.type = type;
  header.sector = sector;
  status = 254;
  queue.descriptors[0] = (struct descriptor){(uintptr_t)&header, sizeof header, 1, 1};
  queue.descriptors[1] = (struct descriptor){(uintptr_t)words, SECTOR, (uint16_t)(type == BLOCK_READ ? 3 : 1), 2};
  queue.descriptors[2] = (struct descriptor){(uintptr_t)&status, 1, 2, 0};
  queue.available.ring[queue.available.index % QUEUE_ENTRIES] = 0;
  __asm__ volatile("fence" ::: "memory");
  *(volatile uint16_t *)&queue.available.index = (uint16_t)(queue.available.index + 1);
  __asm__ volatile("fence" ::: "memory");
  set(QUEUE_NOTIFY, 0);
  bool ours = true;
  do {
    ours &= await_interrupt();
  } while (*(volatile uint16_t *)&queue.used.index == seen);
  seen++;
  return ours ? status : 255;
}

static uint32_t word_of(uint32_t sector, uint32_t index) { return sector * 0x01010101u ^ index; }

static void disk(void) {
  static uint32_t words[SECTOR / 4];
  const bool found = find_disk();
  check(found, "a transport has a disk");
  if (!found) return;
  check(start_disk(), "it accepts the driver");
  check(read64(transport + CAPACITY) == DISK_SECTORS, "it has 64 sectors");
  bool right = true;
  for (uint32_t sector = 0; sector < DISK_SECTORS; sector++) {
    right &= transfer(BLOCK_READ, sector, words) == STATUS_OK;
    for (uint32_t i = 0; i < SECTOR / 4; i++) right &= words[i] == word_of(sector, i);
  }
  check(right, "every sector is read, each with an interrupt of its own");
  for (uint32_t i = 0; i < SECTOR / 4; i++) words[i] = ~word_of(2, i);
  check(transfer(BLOCK_WRITE, 2, words) == STATUS_OK, "the third is written");
  for (uint32_t i = 0; i < SECTOR / 4; i++) words[i] = 0;
  right = transfer(BLOCK_READ, 2, words) == STATUS_OK;
  for (uint32_t i = 0; i < SECTOR / 4; i++) right &= words[i] == ~word_of(2, i);
  check(right, "and reads as it was written");
  check(transfer(BLOCK_READ, DISK_SECTORS, words) == STATUS_IO_ERROR, "behind the end is an error");
  set(STATUS, 0);
}

/* --- Main ------------------------------------------------------------------------------------------------------------- */

static void kernel(void) {
  csr_write(stvec, (uintptr_t)user_trap);
  csr_write(sie, BIT(SUPERVISOR_TIMER) | BIT(SUPERVISOR_EXTERNAL));
  set_timer(~0UL);
  use(new_address_space());
  disk();
  processes();
  csr_write(satp, 0);
  __asm__ volatile("sfence.vma" ::: "memory");
}

/** Handles calls of the supervisor: only the one that returns to M-mode, see supervisor.S. */
uintptr_t machine_trap(uintptr_t cause, uintptr_t pc, struct trap_frame *frame) {
  (void)frame;
  if (cause != CAUSE_SUPERVISOR_CALL) unexpected_trap("M-mode", cause, pc);
  csr_set(mstatus, MSTATUS_MPP_MACHINE);
  return pc + 4;
}

int main(uintptr_t hart, uintptr_t device_tree) {
  (void)hart, (void)device_tree;
  csr_write(pmpaddr0, ~0UL);
  csr_write(pmpcfg0, PMP_RWX_NAPOT);
  csr_write(medeleg, BIT(CAUSE_USER_CALL) | BIT(12) | BIT(CAUSE_LOAD_PAGE_FAULT) | BIT(CAUSE_STORE_PAGE_FAULT));
  csr_write(mideleg, BIT(SUPERVISOR_SOFTWARE) | BIT(SUPERVISOR_TIMER) | BIT(SUPERVISOR_EXTERNAL));
  csr_write(mcounteren, 2); /* time */
  __asm__ volatile("csrs 0x30a, %0" ::"r"(BIT(63))); /* menvcfg.STCE: the supervisor has a comparator */
  run_in_supervisor(kernel);
  return conclude("teaching-kernel");
}
