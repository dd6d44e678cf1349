/**
 * System calls of a user program in Sv39, with page tables isolated from the kernel's: every call switches to the
 * kernel's tables and back. In one half of the calls the two address spaces have different ASIDs and no fence is
 * executed; in the other half a fence follows each switch, as kernels without ASIDs need it.
 */
#include "csr.h"
#include "kernel.h"

#define CALLS 40000u /* of each half */
#define DATA_PAGES 8u
#define PAGE_BYTES 4096u
#define ENTRIES 512u

#define USER_CODE 0x10000UL
#define USER_DATA 0x20000UL
#define RAM 0x80000000UL

#define PTE_VALID 1UL
#define PTE_USER_CODE 0x5bUL /* accessed, user, execute, read, valid */
#define PTE_USER_DATA 0xd7UL /* dirty, accessed, user, write, read, valid */
#define PTE_KERNEL 0xcfUL    /* dirty, accessed, execute, write, read, valid */
#define SATP_SV39 (8UL << 60)
#define SATP_SPACE(number) ((uintptr_t)(number) << 44)
#define MEDELEG_USER_CALL (1UL << 8)

#define CALL_LEAVE 0u

/** Frame shared by user and kernel tables; the code below depends on its offsets. */
struct user_frame {
  uintptr_t registers[32]; /* x0's is the pc */
  uintptr_t kernel_tables, user_tables, kernel_stack, fenced;
};
#define REGISTER_A0 10u
#define REGISTER_A1 11u
#define REGISTER_A7 17u

__asm__(
    "    .macro  change_tables offset\n"
    "    ld      t1, \\offset(a0)\n"
    "    ld      t2, 280(a0)\n"
    "    csrw    satp, t1\n"
    "    beqz    t2, 1f\n"
    "    sfence.vma\n"
    "1:\n"
    "    .endm\n"
    "    .macro  user_registers operation\n"
    "    .irp    n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "    \\operation x\\n, 8*\\n(a0)\n"
    "    .endr\n"
    "    .endm\n"
    "    .macro  kernel_registers operation\n"
    "    \\operation ra, 0(sp)\n"
    "    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11\n"
    "    \\operation s\\n, 8+8*\\n(sp)\n"
    "    .endr\n"
    "    .endm\n"

    /* Mapped in both tables at the same address. */
    "    .section .text.trampoline, \"ax\"\n"
    "    .balign 4096\n"
    "    .globl  trampoline, user_trap, enter_user\n"
    "trampoline:\n"
    "user_trap:\n"
    "    csrrw   a0, sscratch, a0\n"
    "    user_registers sd\n"
    "    csrr    t0, sscratch\n"
    "    sd      t0, 80(a0)\n"
    "    csrr    t0, sepc\n"
    "    sd      t0, 0(a0)\n"
    "    csrw    sscratch, a0\n"
    "    change_tables 256\n"
    "    ld      sp, 272(a0)\n"
    "    mv      s0, a0\n"
    "    call    system_call\n"
    "    bnez    a0, leave_user\n"
    "    mv      a0, s0\n"
    "resume_user:\n"
    "    change_tables 264\n"
    "    ld      t0, 0(a0)\n"
    "    csrw    sepc, t0\n"
    "    user_registers ld\n"
    "    ld      a0, 80(a0)\n"
    "    sret\n"
    "enter_user:\n"
    "    addi    sp, sp, -112\n"
    "    kernel_registers sd\n"
    "    sd      sp, 272(a0)\n"
    "    csrw    sscratch, a0\n"
    "    li      t0, 1 << 8\n" /* SPP: to U-mode */
    "    csrc    sstatus, t0\n"
    "    j       resume_user\n"
    "leave_user:\n"
    "    kernel_registers ld\n"
    "    addi    sp, sp, 112\n"
    "    ret\n"
    "    .balign 4096\n"

    /* The user program: makes a0 calls, with data at a1, on another page each time. */
    "    .section .text.user, \"ax\"\n"
    "    .balign 4096\n"
    "    .globl  user_code\n"
    "user_code:\n"
    "    mv      s0, a0\n"
    "    mv      s1, a1\n"
    "1:  andi    t0, s0, 7\n"
    "    slli    t0, t0, 12\n"
    "    add     t0, t0, s1\n"
    "    ld      t1, 0(t0)\n"
    "    add     a0, t1, s0\n"
    "    li      a7, 1\n"
    "    ecall\n"
    "    sd      a0, 0(t0)\n"
    "    addi    s0, s0, -1\n"
    "    bnez    s0, 1b\n"
    "    li      a7, 0\n"
    "    ecall\n"
    "    .balign 4096\n"
    "    .text\n");

extern char trampoline[], user_code[];
void user_trap(void);
void enter_user(struct user_frame *frame);
void run_in_supervisor(void (*function)(void));

typedef uint64_t page[ENTRIES] __attribute__((aligned(PAGE_BYTES)));
static page kernel_root, kernel_middle, kernel_leaf;
static page user_root, user_middle, user_leaf, shared_middle, shared_leaf;
static page user_data[DATA_PAGES], kernel_data[DATA_PAGES];
static union {
  struct user_frame frame;
  page whole;
} shared;

const char kernel_name[] = "system-calls";

static uint64_t entry(const void *physical, uint64_t flags) { return (uintptr_t)physical >> 12 << 10 | flags; }

/** Index of an address in a table; level 0 is the last. */
static unsigned place(uintptr_t address, unsigned level) { return address >> (12 + 9 * level) & (ENTRIES - 1); }

static void make_tables(void) {
  kernel_root[place(RAM, 2)] = entry(kernel_middle, PTE_VALID);
  kernel_middle[place(RAM, 1)] = entry(kernel_leaf, PTE_VALID);
  for (unsigned i = 0; i < ENTRIES; i++) kernel_leaf[i] = entry((void *)(RAM + i * PAGE_BYTES), PTE_KERNEL);
  user_root[place(USER_CODE, 2)] = entry(user_middle, PTE_VALID);
  user_middle[place(USER_CODE, 1)] = entry(user_leaf, PTE_VALID);
  user_leaf[place(USER_CODE, 0)] = entry(user_code, PTE_USER_CODE);
  for (unsigned i = 0; i < DATA_PAGES; i++)
    user_leaf[place(USER_DATA, 0) + i] = entry(user_data[i], PTE_USER_DATA);
  user_root[place(RAM, 2)] = entry(shared_middle, PTE_VALID);
  shared_middle[place(RAM, 1)] = entry(shared_leaf, PTE_VALID);
  shared_leaf[place((uintptr_t)trampoline, 0)] = entry(trampoline, PTE_KERNEL);
  shared_leaf[place((uintptr_t)&shared, 0)] = entry(&shared, PTE_KERNEL);
}

/** The kernel's work, which depends on a word in one of its pages. Returns other than 0 to leave the user program. */
uintptr_t system_call(struct user_frame *frame) {
  uintptr_t *registers = frame->registers;
  registers[0] += 4; /* after the ecall */
  if (registers[REGISTER_A7] == CALL_LEAVE) return 1;
  const uint64_t asked = registers[REGISTER_A0];
  uint64_t *word = &kernel_data[asked % DATA_PAGES][asked / DATA_PAGES % ENTRIES];
  *word = mix(*word, asked);
  registers[REGISTER_A0] = *word;
  return 0;
}

static void make_calls(void) {
  struct user_frame *frame = &shared.frame;
  csr_write(stvec, user_trap);
  csr_write(satp, frame->kernel_tables);
  __asm__ volatile("sfence.vma" ::: "memory");
  for (unsigned half = 0; half < 2; half++) {
    frame->fenced = half;
    frame->registers[0] = USER_CODE;
    frame->registers[REGISTER_A0] = CALLS;
    frame->registers[REGISTER_A1] = USER_DATA;
    enter_user(frame);
  }
  csr_write(satp, 0);
  __asm__ volatile("sfence.vma" ::: "memory");
}

uintptr_t machine_trap(uintptr_t cause, uintptr_t pc, struct trap_frame *frame) {
  (void)frame;
  if (cause != CAUSE_SUPERVISOR_CALL) unexpected_trap("M-mode", cause, pc);
  csr_set(mstatus, MSTATUS_MPP_MACHINE);
  return pc + 4;
}

uint64_t kernel(uint64_t *iterations) {
  make_tables();
  shared.frame.kernel_tables = SATP_SV39 | SATP_SPACE(1) | (uintptr_t)kernel_root >> 12;
  shared.frame.user_tables = SATP_SV39 | SATP_SPACE(2) | (uintptr_t)user_root >> 12;
  for (unsigned i = 0; i < DATA_PAGES; i++) {
    for (unsigned j = 0; j < ENTRIES; j++) user_data[i][j] = kernel_data[i][j] = 0;
  }
  csr_write(pmpaddr0, -1);
  csr_write(pmpcfg0, PMP_RWX_NAPOT);
  csr_set(medeleg, MEDELEG_USER_CALL);
  run_in_supervisor(make_calls);
  uint64_t checksum = CHECKSUM_START;
  for (unsigned i = 0; i < DATA_PAGES; i++) {
    checksum = mix(checksum, user_data[i][0]);
    for (unsigned j = 0; j < ENTRIES; j++) checksum = mix(checksum, kernel_data[i][j]);
  }
  *iterations = 2 * CALLS;
  return checksum;
}
