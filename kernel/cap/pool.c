/* SPDX-License-Identifier: MIT */
#include "cap/pool.h"

#include "base/log.h"
#include "cap/object.h"
#include "kernel.h"

static struct pool *pool_of(const struct slot *s) { return &kernel.pools.pool[s->cap.object]; }

/* Take a free table entry. There is one: every pool pays for those split off it. */
static uint32_t entry_take(void)
{
    struct pools *p = &kernel.pools;
    uint32_t index = p->free;

    if (index == 0) {
        kassert(p->fresh < ARRAY_LEN(p->pool));
        return p->fresh++;
    }
    p->free = p->pool[index - 1].next;
    return index - 1;
}

static struct cap pool_cap(uint32_t index)
{
    return (struct cap){ .kind = KOZO_KIND_THREAD_POOL, .rights = KOZO_WRITE, .object = index };
}

void pool_boot(struct slot *dst)
{
    uint32_t index = entry_take();

    kernel.pools.pool[index] = (struct pool){
        .parent = index,
        .free = CONFIG_MAX_THREADS,
        .entries = 2 * CONFIG_MAX_THREADS - 1,
        .service = index,
        .live = true,
    };
    slot_fill(dst, &kernel.root, pool_cap(index));
}

enum kozo_err pool_split(struct slot *pool, uint64_t count, struct slot *dst)
{
    struct pool *from = pool_of(pool);
    uint32_t index, entries;

    REQUIRE(count > 0, KOZO_ERR_ARGUMENT);
    REQUIRE(count <= from->free && from->entries > 0, KOZO_ERR_QUOTA);
    REQUIRE(slot_is_null(dst), KOZO_ERR_OCCUPIED);
    /* ---- commit ---- */
    index = entry_take();
    entries = (uint32_t)min_u64(2 * count, from->entries); /* one of them is the new pool's own */
    from->free -= (uint32_t)count;
    from->entries -= entries;
    kernel.pools.pool[index] = (struct pool){
        .parent = (uint32_t)pool->cap.object,
        .free = (uint32_t)count,
        .entries = entries - 1,
        .service = from->parent == pool->cap.object ? index : from->service,
        .live = true,
    };
    slot_fill(dst, pool, pool_cap(index));
    return KOZO_OK;
}

enum kozo_err pool_create_thread(struct slot *pool, uint8_t flags, uint8_t priority,
                                 struct slot *dst)
{
    struct pool *from = pool_of(pool);
    void *t;

    REQUIRE(from->free > 0, KOZO_ERR_QUOTA);
    REQUIRE(slot_is_null(dst), KOZO_ERR_OCCUPIED);
    /* ---- commit ---- */
    from->free--;
    t = thread_take((uint32_t)pool->cap.object, flags, priority);
    slot_fill(dst, pool,
              (struct cap){ .kind = KOZO_KIND_THREAD,
                            .rights = KOZO_READ | KOZO_WRITE,
                            .object = (uint64_t)t });
    return KOZO_OK;
}

uint64_t pool_count(const struct slot *pool) { return pool_of(pool)->free; }

uint32_t pool_service(uint32_t index) { return kernel.pools.pool[index].service; }

void pool_return_thread(uint32_t index)
{
    kassert(kernel.pools.pool[index].live);
    kernel.pools.pool[index].free++;
}

void pool_free(uint32_t index)
{
    struct pools *p = &kernel.pools;
    struct pool *gone = &p->pool[index], *parent = &p->pool[gone->parent];

    kassert(gone->live && !cdt_is_linked(&gone->grave));
    gone->live = false;
    if (parent != gone) {
        parent->free += gone->free;
        parent->entries += gone->entries + 1;
    }
    gone->next = p->free;
    p->free = index + 1;
}
