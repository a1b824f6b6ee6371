/* SPDX-License-Identifier: MIT */
#include "policy/closer.h"

#include <kozo/file.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/syscall.h>
#include <kozo/worker.h>

#include <stdatomic.h>

/* The other thread ends what is CALLS, the first thread begins it. `told` is the caller's. */
static struct {
    _Atomic enum closer_state state;
    struct kozo_endpoint told;
    struct kozo_endpoint back; /* to policy's own port */
    struct kozo_notification work;
    struct kozo_worker worker;
} closer;

/* ---- the other thread ---- */

/*
 * Whether the provider has answered, or is there no more: whatever else ended the call, it may not
 * have heard of it.
 */
static bool is_told(enum kozo_err err)
{
    return err != KOZO_ERR_TIMEOUT && err != KOZO_ERR_CANCELLED && err != KOZO_ERR_DROPPED;
}

static enum closer_state call(void)
{
    struct fs_close_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    kozo_msg_init(&m);
    kozo_msg_deadline(&m, kozo_now() + PROVIDER_PATIENCE);
    err = fs_call_close(closer.told, &m, &(struct fs_close_req){}, &rep);
    (void)kozo_cap_delete(kozo_own(closer.told.c));
    return is_told(err) ? CLOSER_TOLD : CLOSER_UNHEARD;
}

static void run(void *arg)
{
    struct kozo_msg m;

    (void)arg;
    for (;;) {
        (void)kozo_wait(closer.work);
        if (closer.state != CLOSER_CALLS)
            continue;
        closer.state = call();
        kozo_msg_init(&m);
        while (kozo_send(closer.back, &m) == KOZO_ERR_CANCELLED)
            continue;
    }
}

/* ---- policy's first thread ---- */

/* As urgent as may be, below the drivers: what is over ends before its holder goes on. */
static enum kozo_err start(void)
{
    static const uint32_t priorities[] = { 40, 100, 254 };
    enum kozo_err err = KOZO_ERR_PRIORITY;

    for (uint32_t i = 0; i < sizeof priorities / sizeof priorities[0]; i++) {
        struct kozo_worker_options o = { .stack_pages = 2, .priority = priorities[i] };

        err = kozo_worker_start(&closer.worker, &o, run, nullptr);
        if (err != KOZO_ERR_PRIORITY)
            break;
    }
    return err;
}

enum kozo_err closer_begin(struct kozo_endpoint port)
{
    enum kozo_err err;

    closer.told.c = kozo_slot_alloc();
    closer.back.c = kozo_slot_alloc();
    closer.work.c = kozo_slot_alloc();
    if (closer.told.c == 0 || closer.back.c == 0 || closer.work.c == 0)
        return KOZO_ERR_LIMIT;
    err = kozo_retype(kozo_own_untyped(), KOZO_KIND_NOTIFICATION, 0, kozo_own(closer.work.c), 1);
    if (err == KOZO_OK)
        err = kozo_cap_mint(kozo_own(closer.back.c), kozo_own(port.c), KOZO_RIGHTS(KOZO_WRITE, 0),
                            CLOSER_BADGE)
                  .err;
    return err == KOZO_OK ? start() : err;
}

enum kozo_err closer_tell(struct kozo_place kept)
{
    enum kozo_err err = kozo_cap_copy(kozo_own(closer.told.c), kept, KOZO_SAME_RIGHTS);

    if (err != KOZO_OK)
        return err;
    closer.state = CLOSER_CALLS;
    return kozo_signal(closer.work, 1);
}

enum closer_state closer_take(void)
{
    enum closer_state state = closer.state;

    if (state > CLOSER_CALLS)
        closer.state = CLOSER_IDLE;
    return state;
}
