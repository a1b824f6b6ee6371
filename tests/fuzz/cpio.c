/* SPDX-License-Identifier: MIT */
/*
 * cpio.c - the bytes are an archive. Its readers agree with each other, and stay inside.
 */
#include "fuzz.h"

#include <kozo/cpio.h>
#include <string.h>

/* The text for people has an end, nothing that a terminal obeys, and reads no other bytes. */
static void check_text(const struct kozo_bad *bad)
{
    char text[KOZO_BAD_TEXT];
    const char *p = kozo_bad_text(bad, text);

    for (; *p != '\0'; p++)
        MUST(*p >= ' ' && *p <= '~');
    MUST(p < text + sizeof text);
}

static void check_bad(const struct kozo_bad *bad, uint64_t bytes)
{
    MUST(bad->field != nullptr && bad->want != nullptr);
    MUST(bad->at <= ((bytes + 3) & ~3ull));
    check_text(bad);
}

static bool is_inside(const struct kozo_cpio *c, const void *p, uint64_t bytes)
{
    const uint8_t *at = p;

    return at >= c->base && at <= c->base + c->bytes &&
           bytes <= (uint64_t)(c->base + c->bytes - at);
}

static void check_entry(const struct kozo_cpio *c, const struct kozo_cpio_entry *e)
{
    MUST(e->name_len > 0 && e->name_len < KOZO_CPIO_NAME);
    MUST(is_inside(c, e->name, e->name_len + 1));
    MUST(strlen(e->name) == e->name_len && e->name[0] != '/');
    MUST(is_inside(c, e->data, e->size));
    MUST(e->at < c->bytes);
}

/* Each name is found again, as often as it is asked for, and is the entry that the walk saw. */
static void check_found(const struct kozo_cpio *c, const struct kozo_cpio_index *ix,
                        const struct kozo_cpio_entry *e)
{
    struct kozo_cpio_entry found, looked;
    struct kozo_bad bad = {};

    MUST(kozo_cpio_lookup(ix, e->name, e->name_len, &looked) == KOZO_OK);
    MUST(kozo_cpio_find(c, e->name, &found, &bad) == KOZO_OK);
    check_entry(c, &found);
    MUST(found.at == e->at && looked.at == e->at);
    MUST(found.data == looked.data && found.size == looked.size && found.mode == e->mode);
}

static void check_index(const struct kozo_cpio *c, struct kozo_cpio_count count)
{
    uint64_t slots = kozo_cpio_index_slots(count.keys), at = 0, n = 0;
    struct kozo_cpio_slot *slot = malloc(slots * sizeof *slot);
    struct kozo_cpio_index ix;
    struct kozo_cpio_entry e;
    struct kozo_bad bad = {};
    enum kozo_err err = kozo_cpio_index(&ix, c, slot, slots, &bad);

    /* FORMAT: a name twice, through a file, or chosen to collide. */
    MUST(err == KOZO_OK || err == KOZO_ERR_FORMAT);
    MUST(ix.steps <=
         2 * c->bytes + KOZO_CPIO_PROBES * (KOZO_CPIO_DEPTH + 1) * count.entries);
    if (err == KOZO_ERR_FORMAT)
        check_bad(&bad, c->bytes);
    while (err == KOZO_OK && n < 64 && kozo_cpio_next(c, &at, &e, &bad) == KOZO_OK) {
        check_found(c, &ix, &e);
        n++;
    }
    if (err == KOZO_OK)
        MUST(kozo_cpio_lookup(&ix, "no/such/name", 12, &e) == KOZO_ERR_NOT_FOUND ||
             strcmp(e.name, "no/such/name") == 0);
    free(slot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1); /* at an odd address, and not a byte longer */
    struct kozo_cpio c = { copy + 1, size };
    struct kozo_cpio_entry e;
    struct kozo_bad bad = {};
    struct kozo_cpio_count count;
    uint64_t at = 0, n = 0, before;
    enum kozo_err err;

    if (size != 0)
        memcpy(copy + 1, data, size);
    count = kozo_cpio_check(&c, &bad);
    for (;;) {
        before = at;
        err = kozo_cpio_next(&c, &at, &e, &bad);
        if (err != KOZO_OK)
            break;
        MUST(at > before && at <= ((size + 3) & ~3ull)); /* padding may be cut off */
        check_entry(&c, &e);
        n++;
    }
    MUST(err == KOZO_ERR_NOT_FOUND || err == KOZO_ERR_FORMAT);
    MUST((count.err == KOZO_OK) == (err == KOZO_ERR_NOT_FOUND));
    if (err == KOZO_ERR_FORMAT)
        check_bad(&bad, size);
    else
        MUST(count.entries == n);
    err = kozo_cpio_find(&c, "bin/init", &e, &bad);
    MUST(count.err == KOZO_OK || err == KOZO_ERR_FORMAT);
    if (count.err == KOZO_OK)
        check_index(&c, count);
    free(copy);
    return 0;
}
