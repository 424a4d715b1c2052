/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory that both sides see at the same address, also when the analog side is a process of its own: one mapping, made
 * before the fork, handed out from the bottom up and given back as a whole.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "engine.h"

#define ARENA_BYTES ((size_t)4 << 30) /* address space: what is not touched costs nothing */

struct engine *engine;
static char *bottom;

static size_t rounded(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

bool arena_open(void) {
    if (engine) return true;
    void *mapped = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return false;
    engine = mapped;
    bottom = E.arena_next = (char *)mapped + rounded(sizeof *engine);
    return true;
}

void arena_reset(void) {
    size_t used = (size_t)(E.arena_next - bottom), page = 4096;
    char *first = (char *)(((uintptr_t)bottom + page - 1) & ~(uintptr_t)(page - 1));
    memset(engine, 0, sizeof *engine);
    if (used > page) madvise(first, used, MADV_REMOVE); /* pages go back to the system, and read as zero */
    memset(bottom, 0, used < page ? used : (size_t)(first - bottom));
    E.arena_next = bottom;
}

/* Zeroed memory; exhausting the address space is a crash. */
void *arena_alloc(size_t bytes) {
    char *found = E.arena_next;
    E.arena_next += rounded(bytes);
    return found;
}

char *arena_text(const char *text) {
    size_t bytes = strlen(text) + 1;
    return memcpy(arena_alloc(bytes), text, bytes);
}

void *arena_grown(void *array, int count, size_t size) {
    if (count & (count - 1)) return array; /* room for the next power of two */
    void *grown = arena_alloc((count ? 2 * (size_t)count : 1) * size);
    if (count) memcpy(grown, array, (size_t)count * size);
    return grown;
}
