/* SPDX-License-Identifier: MIT */
/*
 * writer.c - a program that replaces a file as a whole: it writes a new one in three messages and
 * renames it. Whoever looks meanwhile, after whatever went wrong, finds one version or the other.
 */
#include "world.h"

#undef KOZO_VERSION /* the kernel's: each protocol has one of its own */
#include "fsd/serve.h"
#include <string.h>

#define TRIES 24u
#define PAUSE 5'000'000ull
#define PATIENCE 200'000'000ull
#define FILE_NEW "ram/new"
#define FILE_NOW "ram/file"

enum { BEGINS, REMOVES, MAKES, WRITES, RENAMES, PAUSES };

static void begin_message(struct actor *a, uint32_t phase)
{
    a->phase = phase;
    kozo_msg_init(&a->m);
    kozo_msg_deadline(&a->m, machine.now + PATIENCE);
}

/* What an earlier try left. */
static void remove_new(struct actor *a)
{
    struct fs_remove_req req = { kozo_str(FILE_NEW) };

    begin_message(a, REMOVES);
    CHECK(fs_put_remove_req(&a->m, &req));
    actor_exchange(a, KOZO_SYS_CALL, IN_FS);
}

static void make_new(struct actor *a)
{
    const char *name = plan_sabotages(SABOTAGE_IN_PLACE) ? FILE_NOW : FILE_NEW;
    struct fs_make_req req = { kozo_str(name), KOZO_FILE_REGULAR, KOZO_FILE_WRITE };

    (void)actor_call(a, CAP_DELETE, 0, IN_LEASED);
    begin_message(a, MAKES);
    kozo_msg_window(&a->m, IN_LEASED, 1);
    CHECK(fs_put_make_req(&a->m, &req));
    actor_exchange(a, KOZO_SYS_CALL, IN_FS);
}

static void write_on(struct actor *a, struct client *c)
{
    uint64_t length = min_u64(KOZO_FILE_CHUNK, FILE_BYTES - c->offset);
    struct fs_write_req req = { c->offset, { c->data, length } };

    memset(c->data, (int)(c->reads + 1), length);
    c->offset += length;
    begin_message(a, WRITES);
    CHECK(fs_put_write_req(&a->m, &req));
    actor_exchange(a, KOZO_SYS_CALL, IN_LEASED);
}

static void rename_new(struct actor *a)
{
    struct fs_rename_req req = { kozo_str(FILE_NEW), kozo_str(FILE_NOW) };

    begin_message(a, RENAMES);
    CHECK(fs_put_rename_req(&a->m, &req));
    actor_exchange(a, KOZO_SYS_CALL, IN_FS);
}

static void again(struct actor *a, struct client *c)
{
    if (++c->tries == TRIES) {
        (void)actor_call(a, THREAD_EXIT, 1);
        return;
    }
    a->phase = PAUSES;
    actor_sleep(a, machine.now + PAUSE);
}

/* This version is there for good, as long as fsd lives. */
static void committed(struct actor *a, struct client *c)
{
    c->reads++;
    c->life = world.service[FSD].lives;
    if (c->reads % VERSIONS == 0)
        (void)actor_call(a, THREAD_EXIT, 0);
    else
        remove_new(a);
}

void writer_turn(struct actor *a)
{
    struct client *c = &world.client[WRITER];
    bool ok;

    if (a->phase != BEGINS)
        actor_result(a);
    ok = a->err == KOZO_OK && a->m.err == KOZO_OK;
    switch (a->phase) {
    case BEGINS:
        c->tries = 0;
        remove_new(a);
        break;
    case PAUSES:
        remove_new(a);
        break;
    case REMOVES: /* or there was none */
        c->offset = 0;
        make_new(a);
        break;
    case MAKES:
        if (ok && (a->m.received & 1) != 0)
            write_on(a, c);
        else
            again(a, c);
        break;
    case WRITES:
        if (!ok)
            again(a, c);
        else if (c->offset < FILE_BYTES)
            write_on(a, c);
        else
            rename_new(a);
        break;
    default:
        if (ok)
            committed(a, c);
        else
            again(a, c);
    }
}

/* ---- what others see ---- */

static enum kozo_err look(struct fs_server *fs, struct kozo_msg *m, uint8_t data[FILE_BYTES],
                          uint64_t *size)
{
    struct fs_open_req open = { kozo_str(FILE_NOW), KOZO_FILE_READ };
    struct fs_open_rep opened = {};
    enum kozo_err err = files_ops.open(fs, m, &open, &opened);

    *size = opened.size;
    m->badge = opened.file.badge;
    for (uint64_t at = 0; err == KOZO_OK && at < FILE_BYTES; at += KOZO_FILE_CHUNK) {
        struct fs_read_req read = { at, KOZO_FILE_CHUNK };
        struct fs_read_rep rep = {};

        err = files_ops.read(fs, m, &read, &rep);
        memcpy(data + at, rep.data.at, min_u64(rep.data.len, FILE_BYTES - at));
    }
    return err;
}

void writer_check(struct fs_server *fs)
{
    const struct client *c = &world.client[WRITER];
    bool promised = c->life == world.service[FSD].lives && c->reads > 0;
    struct kozo_msg m = { .badge = 1, .user = 0xff };
    uint8_t data[FILE_BYTES];
    uint64_t size;

    if (!world.service[FSD].running)
        return;
    if (look(fs, &m, data, &size) != KOZO_OK) {
        if (promised)
            FAIL("half done: version %u of the file is lost", c->reads);
        return;
    }
    if (size != FILE_BYTES)
        FAIL("half done: the file has %llu bytes", (unsigned long long)size);
    for (uint32_t i = 1; i < FILE_BYTES; i++)
        if (data[i] != data[0])
            FAIL("half done: byte %u of the file is of version %u, the first of %u", i, data[i],
                 data[0]);
    if (promised && data[0] != c->reads && data[0] != c->reads + 1)
        FAIL("half done: the file is version %u, after %u", data[0], c->reads);
}

void writer_spoil(struct fs_server *fs)
{
    struct fs_open_req open = { kozo_str(FILE_NOW), KOZO_FILE_WRITE };
    struct fs_write_req write = { 500, { "?", 1 } };
    struct fs_open_rep opened = {};
    struct fs_write_rep written = {};
    struct kozo_msg m = { .badge = 1, .user = 0xff };

    CHECK_OK(files_ops.open(fs, &m, &open, &opened));
    m.badge = opened.file.badge;
    CHECK_OK(files_ops.write(fs, &m, &write, &written));
}
