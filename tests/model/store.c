/* SPDX-License-Identifier: MIT */
/*
 * store.c - the memory a model lives in, and its lists.
 *
 * Everything is in one array at a fixed address, so that a model is kept and put back by copying
 * bytes.
 *
 * Owns:      that array; the copy of the machine's memory.
 */
#define _DEFAULT_SOURCE
#include "model.h"

#include "store.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define RESERVE 65536u /* what one event may use */

static struct {
    struct m_world world;
    uint64_t used;
    alignas(16) uint8_t byte[M_STORE_BYTES];
} store;
struct m_world *const m = &store.world;

static uint8_t *ram_of_size(uint64_t bytes)
{
    static uint8_t *ram;
    static uint64_t size;

    if (ram != nullptr && size == bytes) {
        madvise(ram, bytes, MADV_DONTNEED);
        return ram;
    }
    if (ram != nullptr)
        munmap(ram, size);
    ram = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
               -1, 0);
    if (ram == MAP_FAILED)
        abort();
    size = bytes;
    return ram;
}

void m_world_reset(uint64_t ram_base, uint64_t ram_bytes, uint32_t max_threads)
{
    store.world = (struct m_world){
        .slice_due = M_NEVER,
        .number = 1,
        .max_threads = max_threads,
        .ram = ram_of_size(ram_bytes),
        .ram_base = ram_base,
        .ram_bytes = ram_bytes,
    };
    store.used = 0;
}

void *m_new(uint64_t bytes)
{
    uint8_t *p = store.byte + store.used;

    bytes = (bytes + 15) & ~15ull;
    if (store.used + bytes > sizeof store.byte)
        abort();
    store.used += bytes;
    memset(p, 0, bytes);
    return p;
}

bool m_has_room(void) { return store.used + RESERVE < sizeof store.byte; }

uint64_t m_store_bytes(void) { return offsetof(typeof(store), byte) + store.used; }
void m_store_keep(void *copy) { memcpy(copy, &store, m_store_bytes()); }
void m_store_put_back(const void *copy, uint64_t bytes) { memcpy(&store, copy, bytes); }

struct m_object *m_object_new(enum kozo_kind kind)
{
    struct m_object *o = m_new(sizeof *o);

    o->kind = kind;
    o->next = m->objects;
    m->objects = o;
    return o;
}

bool m_is_ram(uint64_t address, uint64_t bytes)
{
    return address >= m->ram_base && address - m->ram_base <= m->ram_bytes - bytes;
}

uint8_t *m_ram(uint64_t address)
{
    if (!m_is_ram(address, 1))
        abort();
    return m->ram + (address - m->ram_base);
}

/* ---- queues ---- */

static void insert_at(struct m_queue *q, uint32_t at, struct m_thread *t)
{
    if (q->n == M_THREADS_MAX)
        abort();
    memmove(&q->item[at + 1], &q->item[at], (q->n - at) * sizeof q->item[0]);
    q->item[at] = t;
    q->n++;
}

void m_queue_push(struct m_queue *q, struct m_thread *t) { insert_at(q, q->n, t); }
void m_queue_push_front(struct m_queue *q, struct m_thread *t) { insert_at(q, 0, t); }

bool m_queue_has(const struct m_queue *q, const struct m_thread *t)
{
    for (uint32_t i = 0; i < q->n; i++)
        if (q->item[i] == t)
            return true;
    return false;
}

void m_queue_remove(struct m_queue *q, struct m_thread *t)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < q->n; i++)
        if (q->item[i] != t)
            q->item[n++] = q->item[i];
    q->n = n;
}

void m_queue_insert(struct m_queue *q, struct m_thread *t)
{
    uint32_t at = 0;

    while (at < q->n && q->item[at]->priority <= t->priority)
        at++;
    insert_at(q, at, t);
}
