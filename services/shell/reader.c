/* SPDX-License-Identifier: MIT */
#include "shell/reader.h"
#include "shell/program.h"
#include "shell/run.h"

#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/worker.h>

#include <stdatomic.h>

enum reader_state : uint32_t { READER_IDLE, READER_READS, READER_DONE };

/* All but `state` is the reader's while it READS, and the first thread's else. */
static struct {
    _Atomic enum reader_state state;
    struct typed line;
    enum kozo_console_how how;
    enum kozo_err err;
    struct kozo_notification work;
    struct kozo_endpoint back; /* to where programs end */
    struct kozo_worker worker;
} reader;

/* ---- the thread that reads ---- */

static enum kozo_err edit(struct typed *t, enum kozo_console_how *how)
{
    struct console_edit_req req = { kozo_str("kozo> "), { t->text, t->len }, t->cursor };
    struct console_edit_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    kozo_msg_init(&m);
    err = console_call_edit(kozo_cap_endpoint("console"), &m, &req, &rep);
    if (err != KOZO_OK)
        return err;
    *how = (enum kozo_console_how)rep.how;
    memcpy(t->text, rep.line.at, rep.line.len);
    t->len = rep.line.len;
    t->cursor = rep.cursor < t->len ? rep.cursor : t->len;
    return KOZO_OK;
}

static void run(void *arg)
{
    (void)arg;
    for (;;) {
        struct kozo_msg m;

        (void)kozo_wait(reader.work);
        if (reader.state != READER_READS)
            continue;
        reader.err = edit(&reader.line, &reader.how);
        reader.state = READER_DONE;
        kozo_msg_init(&m);
        (void)kozo_send(reader.back, &m);
    }
}

/* ---- the shell's first thread ---- */

/* As urgent as the shell is; where its section says otherwise, as may be. */
static enum kozo_err start(void)
{
    static const uint32_t priorities[] = { 80, 100, 254 };
    enum kozo_err err = KOZO_ERR_PRIORITY;

    for (uint32_t i = 0;
         err == KOZO_ERR_PRIORITY && i < sizeof priorities / sizeof priorities[0]; i++)
        err = kozo_worker_start(&reader.worker,
                                &(struct kozo_worker_options){ .priority = priorities[i] }, run,
                                nullptr);
    return err;
}

enum kozo_err reader_begin(void)
{
    enum kozo_err err;

    reader.work.c = kozo_slot_alloc();
    if (reader.work.c == 0)
        return KOZO_ERR_LIMIT;
    err = kozo_retype(kozo_own_untyped(), KOZO_KIND_NOTIFICATION, 0, kozo_own(reader.work.c), 1);
    reader.back.c = program_port();
    return err == KOZO_OK ? start() : err;
}

enum kozo_err reader_edit(struct typed *t, enum kozo_console_how *how)
{
    reader.line = *t;
    reader.state = READER_READS;
    (void)kozo_signal(reader.work, 1);
    while (reader.state != READER_DONE)
        run_wait_end();
    reader.state = READER_IDLE;
    if (reader.err != KOZO_OK)
        return reader.err;
    *t = reader.line;
    *how = reader.how;
    return KOZO_OK;
}
