/* SPDX-License-Identifier: MIT */
#include "fsd/bytes.h"

#include <kozo/string.h>

/* ---- which file ---- */

/* The handle of a regular file. */
static struct handle want_file(struct fs_server *s, const struct kozo_msg *m, uint64_t need)
{
    struct handle h = handle_want(s, m, need);
    bool regular;

    if (h.err != KOZO_OK)
        return h;
    regular = h.file.ram ? s->ram.node[h.file.node].type == RAM_FILE
                         : s->tree.node[h.file.node].type == NODE_FILE;
    h.err = regular ? KOZO_OK : KOZO_ERR_TYPE;
    return h;
}

/* The same for what changes it. */
static struct handle want_change(struct fs_server *s, const struct kozo_msg *m)
{
    struct handle h = want_file(s, m, KOZO_FILE_WRITE);

    if (h.err == KOZO_OK && !h.file.ram)
        h.err = KOZO_ERR_READ_ONLY;
    return h;
}

/* Where up to DATA_MAX bytes of a file lie. They are only read. */
static uint32_t spans_of(const struct fs_server *s, struct file f, uint64_t offset, uint64_t len,
                         struct span span[DATA_SPANS])
{
    const struct node *n;

    if (f.ram)
        return data_spans(&s->ram, f.node, offset, len, span);
    n = &s->tree.node[f.node];
    if (offset >= n->size || len == 0)
        return 0;
    if (len > n->size - offset)
        len = n->size - offset;
    span[0] =
        (struct span){ (uint8_t *)(uintptr_t)n->data + offset, len < DATA_MAX ? len : DATA_MAX };
    return 1;
}

/* ---- by message ---- */

enum kozo_err serve_read(struct fs_server *s, const struct kozo_msg *m,
                         const struct fs_read_req *req, struct fs_read_rep *rep)
{
    struct handle h = want_file(s, m, KOZO_FILE_READ);
    struct span span[DATA_SPANS];
    uint64_t length = req->length < KOZO_FILE_CHUNK ? req->length : KOZO_FILE_CHUNK, used = 0;
    uint32_t count;

    if (h.err != KOZO_OK)
        return h.err;
    count = spans_of(s, h.file, req->offset, length, span);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(s->scratch + used, span[i].at, span[i].len);
        used += span[i].len;
    }
    rep->data = (struct kozo_bytes){ s->scratch, used };
    return KOZO_OK;
}

static uint64_t place_to_write(const struct fs_server *s, struct handle h, uint64_t offset)
{
    return offset == KOZO_FILE_END ? s->ram.node[h.file.node].size : offset;
}

enum kozo_err serve_write(struct fs_server *s, const struct kozo_msg *m,
                          const struct fs_write_req *req, struct fs_write_rep *rep)
{
    struct handle h = want_change(s, m);
    enum kozo_err err = h.err;
    uint64_t offset;

    if (err != KOZO_OK)
        return err;
    offset = place_to_write(s, h, req->offset);
    err = data_write(&s->ram, h.file.node, h.account, offset, req->data);
    if (err == KOZO_OK)
        *rep = (struct fs_write_rep){ offset, req->data.len };
    return err;
}

enum kozo_err serve_truncate(struct fs_server *s, const struct kozo_msg *m,
                             const struct fs_truncate_req *req, struct fs_truncate_rep *)
{
    struct handle h = want_change(s, m);

    return h.err != KOZO_OK ? h.err : data_truncate(&s->ram, h.file.node, req->size);
}

/* ---- through Frames ---- */

/* The Frames of a request, as one piece of memory from `at` on. */
struct loan {
    struct lent part[KOZO_FILE_FRAMES];
    uint32_t count;
    uint64_t len; /* bytes from `at` to the end of the last */
    enum kozo_err err;
};

/* Drops the first `at` bytes of a loan. */
static void skip(struct loan *l, uint64_t at)
{
    for (uint32_t i = 0; i < l->count; i++) {
        uint64_t n = at < l->part[i].len ? at : l->part[i].len;

        l->part[i].at += n;
        l->part[i].len -= n;
        l->len -= n;
        at -= n;
    }
    if (at > 0)
        l->err = KOZO_ERR_ARGUMENT;
}

/* Maps the Frames that came, up to the first that did not. */
static struct loan borrow(const struct fs_server *s, const struct kozo_cap_desc cap[],
                          bool writable, uint64_t at)
{
    struct loan l = {};

    while (l.err == KOZO_OK && l.count < KOZO_FILE_FRAMES && cap[l.count].slot != 0) {
        l.err = s->lend->map(l.count, cap[l.count].slot, writable, &l.part[l.count]);
        if (l.err == KOZO_OK)
            l.len += l.part[l.count++].len;
    }
    if (l.err == KOZO_OK && l.count == 0)
        l.err = KOZO_ERR_EMPTY;
    if (l.err == KOZO_OK)
        skip(&l, at);
    return l;
}

/* Copies between spans and a loan, which is as long or longer. */
static enum kozo_err transfer(const struct fs_server *s, const struct span *span, uint32_t count,
                              struct loan *l, bool to_loan)
{
    struct copy list[LEND_COPIES];
    uint32_t n = 0, part = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct span left = span[i];

        while (left.len > 0) {
            struct lent *p = &l->part[part];
            uint64_t len = left.len < p->len ? left.len : p->len;

            if (len == 0) {
                part++;
                continue;
            }
            list[n++] = to_loan ? (struct copy){ p->at, left.at, len }
                                : (struct copy){ left.at, p->at, len };
            left.at += len;
            left.len -= len;
            p->at += len;
            p->len -= len;
        }
    }
    return s->lend->copy(list, n) ? KOZO_OK : KOZO_ERR_GONE;
}

static uint64_t total(const struct span *span, uint32_t count)
{
    uint64_t len = 0;

    for (uint32_t i = 0; i < count; i++)
        len += span[i].len;
    return len;
}

static uint64_t shortest(uint64_t asked, const struct loan *l)
{
    uint64_t len = asked < KOZO_FILE_BULK ? asked : KOZO_FILE_BULK;

    return len < l->len ? len : l->len;
}

enum kozo_err serve_read_frames(struct fs_server *s, const struct kozo_msg *m,
                                const struct fs_read_frames_req *req,
                                struct fs_read_frames_rep *rep)
{
    const struct kozo_cap_desc cap[] = { req->frame, req->second, req->third };
    struct handle h = want_file(s, m, KOZO_FILE_READ);
    struct span span[DATA_SPANS];
    struct loan l;
    uint32_t count;
    enum kozo_err err;

    if (h.err != KOZO_OK)
        return h.err;
    l = borrow(s, cap, true, req->at);
    if (l.err != KOZO_OK)
        return l.err;
    count = spans_of(s, h.file, req->offset, shortest(req->length, &l), span);
    err = transfer(s, span, count, &l, true);
    if (err == KOZO_OK)
        rep->count = total(span, count);
    return err;
}

enum kozo_err serve_write_frames(struct fs_server *s, const struct kozo_msg *m,
                                 const struct fs_write_frames_req *req,
                                 struct fs_write_frames_rep *rep)
{
    const struct kozo_cap_desc cap[] = { req->frame, req->second, req->third };
    struct handle h = want_change(s, m);
    struct data_stage stage;
    struct loan l;
    enum kozo_err err;
    uint64_t offset;

    if (h.err != KOZO_OK)
        return h.err;
    l = borrow(s, cap, false, req->at);
    if (l.err != KOZO_OK)
        return l.err;
    offset = place_to_write(s, h, req->offset);
    err = data_stage(&s->ram, &stage, h.file.node, h.account, offset, shortest(req->length, &l));
    if (err != KOZO_OK)
        return err;
    err = transfer(s, stage.span, stage.count, &l, false);
    if (err != KOZO_OK) {
        data_abort(&s->ram, &stage);
        return err;
    }
    data_commit(&s->ram, &stage);
    *rep = (struct fs_write_frames_rep){ offset, stage.len };
    return KOZO_OK;
}
