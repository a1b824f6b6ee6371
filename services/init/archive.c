/* SPDX-License-Identifier: MIT */
#include "init/archive.h"
#include "init/carve.h"

#include <kozo/error.h>
#include <kozo/print.h>
#include <kozo/string.h>

#define IN_ARCHIVE MANIFEST_PATH " in the archive"

static bool fail_on_archive(struct init *i, enum kozo_err err, const struct kozo_bad *bad)
{
    char text[KOZO_BAD_TEXT];

    if (err == KOZO_ERR_FORMAT)
        init_fail(i, "archive", bad->want, "initrd: %s", kozo_bad_text(bad, text));
    else
        init_fail(i, "archive", "an index of the initrd", "%s", kozo_err_text(err));
    return false;
}

/* Memory for the index, as much as so many slots need. */
static enum kozo_err index_memory(uint64_t slots, struct kozo_memory *memory)
{
    unsigned bits = KOZO_PAGE_BITS;
    struct carved c;

    while (1ull << bits < slots * sizeof(struct kozo_cpio_slot))
        bits++;
    c = carve(bits);
    if (c.err != KOZO_OK)
        return c.err;
    *memory = kozo_memory_alloc(c.untyped, slots * sizeof(struct kozo_cpio_slot));
    return memory->err;
}

static bool build_index(struct init *i)
{
    struct kozo_bad bad = {};
    struct kozo_cpio_count count = kozo_cpio_check(&i->archive, &bad);
    struct kozo_memory memory = {};
    enum kozo_err err = count.err;
    uint64_t slots;

    if (err == KOZO_OK) {
        slots = kozo_cpio_index_slots(count.keys);
        err = index_memory(slots, &memory);
    }
    if (err == KOZO_OK)
        err = kozo_cpio_index(&i->index, &i->archive, memory.at, slots, &bad);
    return err == KOZO_OK || fail_on_archive(i, err, &bad);
}

bool archive_open(struct init *i)
{
    const struct kozo_boot_info *b = i->boot;
    struct kozo_memory m;

    if (b->initrd_bytes == 0) {
        init_fail(i, "archive", "an initrd (qemu: -initrd FILE)", "none");
        return false;
    }
    i->frames = (struct kozo_frames){ b->initrd_small, b->initrd_large, b->initrd_tail };
    m = kozo_memory_map_frames(&i->frames, KOZO_READ);
    if (m.err != KOZO_OK) {
        init_fail(i, "archive", "the initrd mapped", "%s", kozo_err_text(m.err));
        return false;
    }
    i->archive = (struct kozo_cpio){ m.at, b->initrd_bytes };
    return build_index(i);
}

struct kozo_bytes archive_file(const struct init *i, struct kozo_str path)
{
    struct kozo_cpio_entry e;

    if (path.len == 0 || kozo_cpio_lookup(&i->index, path.at, path.len, &e) != KOZO_OK)
        return (struct kozo_bytes){};
    if (KOZO_CPIO_TYPE(e.mode) != KOZO_CPIO_FILE)
        return (struct kozo_bytes){};
    return (struct kozo_bytes){ e.data, e.size };
}

const char *archive_missing(const struct init *i, struct kozo_str path)
{
    struct kozo_cpio_entry e;

    if (kozo_cpio_lookup(&i->index, path.at, path.len, &e) != KOZO_OK)
        return "no such file";
    return kozo_cpio_type_text(e.mode);
}

/* ---- the manifest ---- */

static bool fail_on_manifest(struct init *i, const struct manifest_problem *p)
{
    char field[MANIFEST_NAME + 1], value[96];

    text_printable(field, sizeof field, p->field);
    text_printable(value, sizeof value, p->value);
    if (p->missing)
        init_fail(i, "manifest", p->expected, MANIFEST_PATH ":%u: [%s] without %s", p->line, value,
                  field);
    else
        init_fail(i, "manifest", p->expected, MANIFEST_PATH ":%u: %s%s%s", p->line, field,
                  p->field.len > 0 ? " = " : "", value);
    return false;
}

bool archive_read_manifest(struct init *i)
{
    struct kozo_bytes file = archive_file(i, kozo_str(MANIFEST_PATH));
    struct manifest_problem problem;

    if (file.at == nullptr || file.len == 0) {
        init_fail(i, "manifest", IN_ARCHIVE, "%s",
                  file.at == nullptr ? archive_missing(i, kozo_str(MANIFEST_PATH))
                                     : "an empty file");
        return false;
    }
    if (file.len > MANIFEST_BYTES) {
        init_fail(i, "manifest", "at most 65536 bytes", "%llu bytes", (unsigned long long)file.len);
        return false;
    }
    i->manifest_text = kozo_memory_alloc(i->own, file.len);
    if (i->manifest_text.err != KOZO_OK) {
        init_fail(i, "manifest", "memory for it", "%s", kozo_err_text(i->manifest_text.err));
        return false;
    }
    memcpy(i->manifest_text.at, file.at, file.len);
    i->manifest_text.bytes = file.len;
    problem = manifest_parse(&i->manifest, (struct kozo_str){ i->manifest_text.at, file.len });
    return problem.expected == nullptr || fail_on_manifest(i, &problem);
}
