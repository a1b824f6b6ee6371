/* SPDX-License-Identifier: MIT */
#include "cpio_entry.h"

/*
 * Linear probing. No key lies further than KOZO_CPIO_PROBES slots from where its hash sends it, so
 * that no look-up goes further, whatever was put in. In a table that is at most a third full even
 * the longest run of a million keys is a good deal shorter, unless somebody chose the keys.
 */

/* ---- hashes ---- */

/* FNV-1a, byte by byte, so that what leads to each slash costs no second reading. */
constexpr uint64_t hash_start = 0xcbf29ce484222325;

static uint64_t hash_add(uint64_t h, char c)
{
    return (h ^ (uint8_t)c) * 0x100000001b3;
}

/* Each bit of the result depends on each of `h`, and no two `h` have the same one. */
static uint64_t hash_mix(uint64_t h)
{
    h = (h ^ h >> 33) * 0xff51afd7ed558ccd;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53;
    return h ^ h >> 33;
}

static uint64_t hash_name(const char *p, uint64_t len)
{
    uint64_t h = hash_start;

    for (uint64_t i = 0; i < len; i++)
        h = hash_add(h, p[i]);
    return hash_mix(h);
}

/* The second key of a file with several names. */
static uint64_t hash_inode(const struct kozo_cpio_entry *e)
{
    return hash_mix(hash_mix((uint64_t)e->ino << 32 | e->dev_major) ^ e->dev_minor);
}

/* ---- the table ---- */

/* Where a search for a key ended. */
struct probe {
    uint64_t slot;
    uint64_t steps;    /* slots looked at */
    enum kozo_err err; /* OK: it is there. NOT_FOUND: the slot is empty. LIMIT: neither */
};

/* The low bits choose the slot, these tell most other keys without a look at the archive. */
static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

/* Reads the entry a slot names; the whole archive was checked when the index was made. */
static bool entry_of(const struct kozo_cpio_index *ix, uint64_t i, struct kozo_cpio_entry *e)
{
    uint64_t at = (uint64_t)(ix->slot[i].place - 1) * 4;
    struct kozo_bad ignored;

    return kozo_cpio_next(&ix->cpio, &at, e, &ignored) == KOZO_OK;
}

static void insert(struct kozo_cpio_index *ix, uint64_t i, uint64_t hash,
                   const struct kozo_cpio_entry *e)
{
    ix->slot[i] = (struct kozo_cpio_slot){ (uint32_t)(e->at / 4) + 1, tag_of(hash) };
}

/* What is sought: the entry with a name, or, where `name` is null, one with the bytes of `file`. */
struct key {
    uint64_t hash;
    const char *name;
    uint64_t len;
    const struct kozo_cpio_entry *file;
};

static bool is_key(const struct key *k, const struct kozo_cpio_entry *e)
{
    return k->name != nullptr ? cpio_name_is(e, k->name, k->len)
                              : cpio_gives_data(e) && cpio_same_file(k->file, e);
}

static struct probe probe(const struct kozo_cpio_index *ix, const struct key *k,
                          struct kozo_cpio_entry *e)
{
    struct probe p = { .slot = k->hash & ix->mask, .err = KOZO_ERR_LIMIT };

    while (p.steps < KOZO_CPIO_PROBES) {
        const struct kozo_cpio_slot *s = &ix->slot[p.slot];

        p.steps++;
        if (s->place == 0)
            p.err = KOZO_ERR_NOT_FOUND;
        else if (s->tag == tag_of(k->hash) && entry_of(ix, p.slot, e) && is_key(k, e))
            p.err = KOZO_OK;
        if (p.err != KOZO_ERR_LIMIT)
            return p;
        p.slot = (p.slot + 1) & ix->mask;
    }
    return p;
}

/* ---- building ---- */

static enum kozo_err index_name(struct kozo_cpio_index *ix, const struct kozo_cpio_entry *e,
                                struct kozo_bad *bad)
{
    const struct key k = { .hash = hash_name(e->name, e->name_len),
                           .name = e->name,
                           .len = e->name_len };
    struct kozo_cpio_entry other;
    struct probe p = probe(ix, &k, &other);

    ix->steps += e->name_len + p.steps;
    if (p.err == KOZO_OK)
        return cpio_refuse_clash(bad, e, other.at, "each name once");
    if (p.err == KOZO_ERR_LIMIT)
        return cpio_refuse_entry(bad, e, "hash of the name", e->at + CPIO_HEADER_BYTES, k.hash,
                                 "a place within 64 slots: names are chosen to collide");
    insert(ix, p.slot, k.hash, e);
    return KOZO_OK;
}

/* The first of those with the bytes of a file has the place. */
static enum kozo_err index_inode(struct kozo_cpio_index *ix, const struct kozo_cpio_entry *e,
                                 struct kozo_bad *bad)
{
    const struct key k = { .hash = hash_inode(e), .file = e };
    struct kozo_cpio_entry other;
    struct probe p = probe(ix, &k, &other);

    ix->steps += p.steps;
    if (p.err == KOZO_ERR_LIMIT)
        return cpio_refuse_entry(bad, e, "c_ino", cpio_field_at(e->at, C_INO), e->ino,
                                 "a place within 64 slots: inodes are chosen to collide");
    if (p.err == KOZO_ERR_NOT_FOUND)
        insert(ix, p.slot, k.hash, e);
    return KOZO_OK;
}

/*
 * What the entry's name leads through is a directory, where the archive has it. The nearest that it
 * has tells: what leads to that one is told by its own name.
 */
static enum kozo_err check_parents(struct kozo_cpio_index *ix, const struct kozo_cpio_entry *e,
                                   struct kozo_bad *bad)
{
    struct key prefix[KOZO_CPIO_DEPTH];
    uint64_t h = hash_start, n = 0;
    struct kozo_cpio_entry parent;

    for (uint64_t i = 0; i < e->name_len; i++) {
        if (e->name[i] == '/')
            prefix[n++] = (struct key){ .hash = hash_mix(h), .name = e->name, .len = i };
        h = hash_add(h, e->name[i]);
    }
    ix->steps += e->name_len;
    while (n > 0) {
        struct probe p = probe(ix, &prefix[--n], &parent);

        ix->steps += p.steps;
        if (p.err != KOZO_OK)
            continue;
        if (KOZO_CPIO_TYPE(parent.mode) == KOZO_CPIO_DIRECTORY)
            return KOZO_OK;
        return cpio_refuse_clash(bad, e, parent.at, "only directories before a slash");
    }
    return KOZO_OK;
}

static enum kozo_err index_entries(struct kozo_cpio_index *ix, struct kozo_bad *bad)
{
    struct kozo_cpio_entry e;
    enum kozo_err err;
    uint64_t keys = 0;

    for (uint64_t at = 0; (err = kozo_cpio_next(&ix->cpio, &at, &e, bad)) == KOZO_OK;) {
        keys += 1 + cpio_gives_data(&e);
        if (keys * 3 > ix->mask + 1)
            return KOZO_ERR_LIMIT;
        err = index_name(ix, &e, bad);
        if (err == KOZO_OK && cpio_gives_data(&e))
            err = index_inode(ix, &e, bad);
        if (err != KOZO_OK)
            return err;
    }
    return err == KOZO_ERR_NOT_FOUND ? KOZO_OK : err;
}

uint64_t kozo_cpio_index_slots(uint64_t keys)
{
    uint64_t n = 16;

    /* Never more than a third full. */
    while (n < keys * 3)
        n *= 2;
    return n;
}

enum kozo_err kozo_cpio_index(struct kozo_cpio_index *ix, const struct kozo_cpio *c,
                              struct kozo_cpio_slot *slot, uint64_t slots, struct kozo_bad *bad)
{
    struct kozo_cpio_entry e;
    enum kozo_err err;

    *bad = (struct kozo_bad){};
    if (slots == 0 || (slots & (slots - 1)) != 0 || c->bytes >= 4ull << 32)
        return KOZO_ERR_LIMIT;
    *ix = (struct kozo_cpio_index){ .cpio = *c, .slot = slot, .mask = slots - 1 };
    __builtin_memset(slot, 0, slots * sizeof(*slot));
    err = index_entries(ix, bad);
    for (uint64_t at = 0; err == KOZO_OK;) {
        err = kozo_cpio_next(c, &at, &e, bad);
        if (err == KOZO_OK)
            err = check_parents(ix, &e, bad);
        else if (err == KOZO_ERR_NOT_FOUND)
            return KOZO_OK;
    }
    return err;
}

/* ---- looking up ---- */

enum kozo_err kozo_cpio_lookup(const struct kozo_cpio_index *ix, const char *path, uint64_t len,
                               struct kozo_cpio_entry *e)
{
    const struct key name = { .hash = hash_name(path, len), .name = path, .len = len };
    struct kozo_cpio_entry bytes;

    if (probe(ix, &name, e).err != KOZO_OK)
        return KOZO_ERR_NOT_FOUND;
    if (cpio_wants_data(e)) {
        const struct key file = { .hash = hash_inode(e), .file = e };

        if (probe(ix, &file, &bytes).err == KOZO_OK)
            cpio_take_data(e, &bytes);
    }
    return KOZO_OK;
}
