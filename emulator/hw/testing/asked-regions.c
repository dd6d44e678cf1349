/*
 * Lets a test ask QEMU's memory core. Preloaded into a QEMU 7.2 that exports its functions, as Debian's does, it runs the lines of the
 * file REGIONLAB_REGIONS when the machine is complete, prints the answers, and ends the process.
 *
 *   ram SIZE | container SIZE | alias TARGET OFFSET SIZE     creates region 0, 1, ...
 *   add CONTAINER OFFSET REGION
 *   readonly REGION | disable REGION
 *   space REGION                                             creates space 0, 1, ... with this root
 *   write SPACE ADDRESS BYTE | read SPACE ADDRESS            answers: outcome, byte
 *   find ROOT OFFSET                                         answers: the region there, offset, whether it is read-only; or "none"
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is found: the beginning of QEMU's structure of that purpose. */
struct section {
    unsigned __int128 size;
    void *region, *view;
    uint64_t offset, address;
    bool readonly;
    char rest[64];
};

enum { MOST = 4096, BYTES = 4096 };

void memory_region_init(void *region, void *owner, const char *name, uint64_t size);
void memory_region_init_ram_nomigrate(void *region, void *owner, const char *name, uint64_t size, void **error);
void memory_region_init_alias(void *region, void *owner, const char *name, void *target, uint64_t offset, uint64_t size);
void memory_region_add_subregion(void *container, uint64_t offset, void *region);
void memory_region_set_readonly(void *region, bool on);
void memory_region_set_enabled(void *region, bool on);
void address_space_init(void *space, void *root, const char *name);
uint32_t address_space_rw(void *space, uint64_t address, uint32_t attrs, void *bytes, uint64_t length, bool write);
struct section memory_region_find(void *region, uint64_t offset, uint64_t size);
void *object_resolve_path(const char *path, bool *ambiguous);
bool qemu_mutex_iothread_locked(void);
void qemu_mutex_lock_iothread_impl(const char *file, int line);

static void *regions[MOST], *spaces[MOST];
static int region_count, space_count;

static int number_of(const void *region)
{
    int number = 0;
    while (number < region_count && regions[number] != region)
        number++;
    return number;
}

static void run(const char *line)
{
    char what[16], name[32];
    unsigned long long a = 0, b = 0, c = 0;
    sscanf(line, "%15s %llu %llu %llu", what, &a, &b, &c);
    snprintf(name, sizeof name, "asked-%d", region_count);
    if (!strcmp(what, "add")) {
        memory_region_add_subregion(regions[a], b, regions[c]);
    } else if (!strcmp(what, "readonly")) {
        memory_region_set_readonly(regions[a], true);
    } else if (!strcmp(what, "disable")) {
        memory_region_set_enabled(regions[a], false);
    } else if (!strcmp(what, "space")) {
        spaces[space_count] = calloc(1, BYTES);
        address_space_init(spaces[space_count++], regions[a], name);
    } else if (!strcmp(what, "find")) {
        struct section found = memory_region_find(regions[a], b, 1);
        if (found.region)
            printf("%d %llu %d\n", number_of(found.region), (unsigned long long) found.offset, found.readonly);
        else
            printf("none\n");
    } else if (!strcmp(what, "write") || !strcmp(what, "read")) {
        unsigned char byte = c;
        uint32_t outcome = address_space_rw(spaces[a], b, 0, &byte, 1, *what == 'w');
        printf("%u %u\n", outcome, byte);
    } else {
        void *region = regions[region_count++] = calloc(1, BYTES);
        if (!strcmp(what, "ram"))
            memory_region_init_ram_nomigrate(region, NULL, name, a, NULL);
        else if (!strcmp(what, "alias"))
            memory_region_init_alias(region, NULL, name, regions[a], b, c);
        else
            memory_region_init(region, NULL, name, a);
    }
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    (void) fds, (void) count, (void) timeout, (void) mask;
    const char *path = getenv("REGIONLAB_REGIONS");
    if (path && gettid() == getpid() && object_resolve_path("/machine", NULL)) {
        char line[128];
        FILE *file = fopen(path, "r");
        if (!qemu_mutex_iothread_locked())
            qemu_mutex_lock_iothread_impl(__FILE__, __LINE__);
        while (file && fgets(line, sizeof line, file))
            run(line);
        fflush(stdout);
        _exit(0);
    }
    return 0;
}
