/** Counts allocations of a process with a library of our own, compiled when it is needed. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError } from "#host";

/** `sizeof(MemoryRegion)` on 64-bit hosts, in QEMU 10.2: allocations of this size are counted apart. */
export const REGION_BYTES = 272;

export interface Allocations {
  /** Calls of malloc, calloc and realloc that gave memory. */
  readonly calls: number;
  readonly bytes: number;
  /** Bytes that were never freed. */
  readonly live: number;
  /** Allocations of a region's size, and those that were never freed. */
  readonly regions: number;
  readonly liveRegions: number;
}

const SOURCE = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS (1u << 22)

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);
static atomic_long calls, bytes, live, regions, live_regions;
static atomic_flag lock = ATOMIC_FLAG_INIT;
static struct { void *at; size_t size; } table[SLOTS];

/* Before dlsym has answered, calloc is called by dlsym itself. */
static char early[4096];
static size_t early_used;

static size_t slot_of(void *at)
{
    return (((size_t)at >> 4) * 11400714819323198485ull >> 42) & (SLOTS - 1);
}

static void enter(void) { while (atomic_flag_test_and_set(&lock)) { } }
static void leave(void) { atomic_flag_clear(&lock); }

static void note(void *at, size_t size)
{
    if (!at) {
        return;
    }
    enter();
    size_t slot = slot_of(at), first = (size_t)-1;
    for (size_t i = 0; i < SLOTS; i++, slot = (slot + 1) & (SLOTS - 1)) {
        if (!table[slot].at || table[slot].at == (void *)1) {
            first = slot;
            break;
        }
    }
    if (first != (size_t)-1) {
        table[first].at = at;
        table[first].size = size;
    }
    leave();
    calls++;
    bytes += size;
    live += size;
    if (size == REGION) {
        regions++;
        live_regions++;
    }
}

static void forget(void *at)
{
    if (!at) {
        return;
    }
    enter();
    size_t slot = slot_of(at), size = 0;
    int found = 0;
    for (size_t i = 0; i < SLOTS && table[slot].at; i++, slot = (slot + 1) & (SLOTS - 1)) {
        if (table[slot].at == at) {
            size = table[slot].size;
            table[slot].at = (void *)1;
            found = 1;
            break;
        }
    }
    leave();
    if (found) {
        live -= size;
        if (size == REGION) {
            live_regions--;
        }
    }
}

static void look_up(void)
{
    if (!real_free) {
        real_malloc = dlsym(RTLD_NEXT, "malloc");
        real_calloc = dlsym(RTLD_NEXT, "calloc");
        real_realloc = dlsym(RTLD_NEXT, "realloc");
        real_free = dlsym(RTLD_NEXT, "free");
    }
}

void *malloc(size_t size)
{
    look_up();
    void *at = real_malloc(size);
    note(at, size);
    return at;
}

void *calloc(size_t count, size_t size)
{
    if (!real_calloc) {
        static int looking;
        if (looking) {
            void *at = early + early_used;
            early_used += (count * size + 15) & ~(size_t)15;
            return at;
        }
        looking = 1;
        look_up();
    }
    void *at = real_calloc(count, size);
    note(at, count * size);
    return at;
}

void *realloc(void *old, size_t size)
{
    look_up();
    forget(old);
    void *at = real_realloc(old, size);
    note(at, size);
    return at;
}

void free(void *at)
{
    if ((char *)at >= early && (char *)at < early + sizeof(early)) {
        return;
    }
    look_up();
    forget(at);
    real_free(at);
}

static void __attribute__((destructor)) report(void)
{
    const char *path = getenv("REGIONLAB_ALLOCATIONS");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%ld %ld %ld %ld %ld\\n", (long)calls, (long)bytes, (long)live,
                (long)regions, (long)live_regions);
        fclose(file);
    }
}
`;

/** The compiled library. */
export class AllocationCounter {
  private readonly folder: string;

  /** @throws CommandError without a C compiler. */
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "regionlab-allocations-"));
    writeFileSync(join(this.folder, "count.c"), SOURCE);
    try {
      execFileSync(
        "cc",
        ["-shared", "-fPIC", "-O2", `-DREGION=${REGION_BYTES}`, "-o", "count.so", "count.c", "-ldl"],
        { cwd: this.folder, stdio: "pipe" },
      );
    } catch (error) {
      this.remove();
      throw new CommandError(
        `cc cannot compile the allocation counter: ${error instanceof Error ? error.message : error}; install gcc`,
      );
    }
  }

  /** Environment for a process whose allocations are to be counted. */
  get environment(): NodeJS.ProcessEnv {
    return {
      LD_PRELOAD: join(this.folder, "count.so"),
      REGIONLAB_ALLOCATIONS: join(this.folder, "counts"),
    };
  }

  /**
   * Counts of the last process that ended, once.
   * @throws CommandError (exit code 1) if it left none
   */
  read(): Allocations {
    const file = join(this.folder, "counts");
    if (!existsSync(file)) {
      throw new CommandError(
        "no allocation was counted: the emulator was killed, or is linked statically; build QEMU without --static",
        { exitCode: 1 },
      );
    }
    const [calls = 0, bytes = 0, live = 0, regions = 0, liveRegions = 0] = readFileSync(file, "latin1")
      .split(" ")
      .map(Number);
    rmSync(file);
    return { calls, bytes, live, regions, liveRegions };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
