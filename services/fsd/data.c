/* SPDX-License-Identifier: MIT */
#include "fsd/data.h"

#include <kozo/string.h>

static uint8_t zeros[STORE_BLOCK];

/* ---- a file's blocks ---- */

/* Where the number of the file's block `i` stands; null: there is no index block yet. */
static uint32_t *slot_of(const struct ram *r, uint32_t node, uint32_t i)
{
    struct ram_node *n = &r->node[node];

    if (i < RAM_DIRECT)
        return &n->direct[i];
    if (n->index == 0)
        return nullptr;
    return (uint32_t *)store_at(&r->store, n->index) + (i - RAM_DIRECT);
}

static uint32_t block_of(const struct ram *r, uint32_t node, uint32_t i)
{
    const uint32_t *slot = slot_of(r, node, i);

    return slot != nullptr ? *slot : 0;
}

/* How many blocks so many bytes lie in. */
static uint32_t blocks_for(uint64_t size)
{
    return (uint32_t)((size + STORE_BLOCK - 1) / STORE_BLOCK);
}

/* A piece of a block: of block `i` the bytes from `from` on. */
struct piece {
    uint32_t i;
    uint64_t from, len;
};

static struct piece piece_at(uint64_t offset, uint64_t len)
{
    uint64_t from = offset % STORE_BLOCK, room = STORE_BLOCK - from;

    return (struct piece){ (uint32_t)(offset / STORE_BLOCK), from, len < room ? len : room };
}

/* ---- reading ---- */

uint32_t data_spans(const struct ram *r, uint32_t node, uint64_t offset, uint64_t len,
                    struct span span[DATA_SPANS])
{
    uint64_t size = r->node[node].size;
    uint32_t count = 0;

    if (offset >= size)
        return 0;
    if (len > size - offset)
        len = size - offset;
    if (len > DATA_MAX)
        len = DATA_MAX;
    while (len > 0) {
        struct piece p = piece_at(offset, len);
        uint32_t block = block_of(r, node, p.i);

        span[count++] =
            (struct span){ (block != 0 ? store_at(&r->store, block) : zeros) + p.from, p.len };
        offset += p.len;
        len -= p.len;
    }
    return count;
}

/* ---- what a write needs ---- */

/* Whether `len` bytes can be written at `offset`, by file size, account and free blocks. */
static enum kozo_err check_write(const struct ram *r, uint32_t node, uint8_t account,
                                 uint64_t offset, uint64_t len)
{
    uint32_t need = 0, first = (uint32_t)(offset / STORE_BLOCK), last;

    if (len > DATA_MAX || offset > RAM_FILE_MAX || len > RAM_FILE_MAX - offset)
        return KOZO_ERR_LIMIT;
    if (len == 0)
        return KOZO_OK;
    last = (uint32_t)((offset + len - 1) / STORE_BLOCK);
    for (uint32_t i = first; i <= last; i++)
        need += block_of(r, node, i) == 0;
    need += last >= RAM_DIRECT && r->node[node].index == 0;
    return need == 0 ? KOZO_OK : store_check(&r->store, account, need);
}

static uint32_t take_zeroed(struct ram *r, uint8_t account)
{
    uint32_t block = store_take(&r->store);

    store_charge(&r->store, block, account);
    memset(store_at(&r->store, block), 0, STORE_BLOCK);
    return block;
}

/* slot_of, with an index block if one is needed: check_write has found room for it. */
static uint32_t *slot_for(struct ram *r, uint32_t node, uint32_t i, uint8_t account)
{
    if (i >= RAM_DIRECT && r->node[node].index == 0)
        r->node[node].index = take_zeroed(r, account);
    return slot_of(r, node, i);
}

static void grow(struct ram *r, uint32_t node, uint64_t end)
{
    if (end > r->node[node].size)
        r->node[node].size = end;
}

/* ---- writing ---- */

enum kozo_err data_write(struct ram *r, uint32_t node, uint8_t account, uint64_t offset,
                         struct kozo_bytes bytes)
{
    enum kozo_err err = check_write(r, node, account, offset, bytes.len);
    const uint8_t *from = bytes.at;
    uint64_t len = bytes.len;

    if (err != KOZO_OK || len == 0)
        return err;
    /* ---- commit ---- */
    grow(r, node, offset + len);
    while (len > 0) {
        struct piece p = piece_at(offset, len);
        uint32_t *slot = slot_for(r, node, p.i, account);

        if (*slot == 0)
            *slot = take_zeroed(r, account);
        memcpy(store_at(&r->store, *slot) + p.from, from, p.len);
        from += p.len;
        offset += p.len;
        len -= p.len;
    }
    return KOZO_OK;
}

/* The bytes of a block that are before a piece and behind it. */
static void copy_around(uint8_t *to, const uint8_t *from, struct piece p)
{
    uint64_t end = p.from + p.len;

    memcpy(to, from, p.from);
    memcpy(to + end, from + end, STORE_BLOCK - end);
}

enum kozo_err data_stage(struct ram *r, struct data_stage *st, uint32_t node, uint8_t account,
                         uint64_t offset, uint64_t len)
{
    enum kozo_err err = check_write(r, node, account, offset, len);

    *st = (struct data_stage){ .node = node, .account = account, .offset = offset, .len = len };
    if (err != KOZO_OK)
        return err;
    while (len > 0) {
        struct piece p = piece_at(offset, len);
        uint32_t old = block_of(r, node, p.i), block = store_take(&r->store);
        uint8_t *at = store_at(&r->store, block);

        if (p.len < STORE_BLOCK)
            copy_around(at, old != 0 ? store_at(&r->store, old) : zeros, p);
        st->block[st->count] = block;
        st->span[st->count++] = (struct span){ at + p.from, p.len };
        offset += p.len;
        len -= p.len;
    }
    return KOZO_OK;
}

void data_commit(struct ram *r, struct data_stage *st)
{
    uint32_t first = (uint32_t)(st->offset / STORE_BLOCK);

    for (uint32_t k = 0; k < st->count; k++) {
        uint32_t *slot = slot_for(r, st->node, first + k, st->account);
        uint8_t account = *slot != 0 ? store_discharge(&r->store, *slot) : st->account;

        store_give_back(&r->store, *slot);
        store_charge(&r->store, st->block[k], account);
        *slot = st->block[k];
    }
    if (st->len > 0)
        grow(r, st->node, st->offset + st->len);
    st->count = 0;
}

void data_abort(struct ram *r, struct data_stage *st)
{
    while (st->count > 0)
        store_give_back(&r->store, st->block[--st->count]);
}

/* ---- shorter and longer ---- */

/* Gives back the blocks from the file's block `keep` up to `had`, and the index if none is in it. */
static void give_back(struct ram *r, uint32_t node, uint32_t keep, uint32_t had)
{
    struct ram_node *n = &r->node[node];
    uint32_t direct = had < RAM_DIRECT ? had : RAM_DIRECT;

    if (keep < direct)
        store_give_back_all(&r->store, n->direct + keep, direct - keep);
    keep = keep > RAM_DIRECT ? keep : RAM_DIRECT;
    if (n->index != 0 && keep < had)
        store_give_back_all(&r->store, slot_of(r, node, keep), had - keep);
    if (keep == RAM_DIRECT) {
        store_give_back(&r->store, n->index);
        n->index = 0;
    }
}

static void cut(struct ram *r, uint32_t node, uint64_t size)
{
    struct piece tail = piece_at(size, STORE_BLOCK);
    uint32_t last = tail.from != 0 ? block_of(r, node, tail.i) : 0;

    give_back(r, node, blocks_for(size), blocks_for(r->node[node].size));
    if (last != 0)
        memset(store_at(&r->store, last) + tail.from, 0, tail.len);
    r->node[node].size = size;
}

enum kozo_err data_truncate(struct ram *r, uint32_t node, uint64_t size)
{
    if (size > RAM_FILE_MAX)
        return KOZO_ERR_LIMIT;
    if (size < r->node[node].size)
        cut(r, node, size);
    r->node[node].size = size;
    return KOZO_OK;
}

void data_free(struct ram *r, uint32_t node) { cut(r, node, 0); }
