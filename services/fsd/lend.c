/* SPDX-License-Identifier: MIT */
#include "fsd/lend.h"

#include <kozo/layout.h>
#include <kozo/memory.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/window.h>
#include <kozo/worker.h>

/*
 * The copier is a thread of its own, without a fault handler, that copies and answers. If it faults
 * the kernel stops it, its caller wakes with GONE, and it is run anew. A request without Frames
 * never meets it.
 */
static struct {
    uint64_t small, large; /* addresses of KOZO_FILE_FRAMES Frames of either size */
    struct kozo_endpoint port;
    struct kozo_worker thread;
    const struct copy *list; /* of the request under way */
    uint32_t count;
} copier;

static void run(void *)
{
    struct kozo_words x;

    if (kozo_recv_words(copier.port, &x) != KOZO_OK)
        return;
    do {
        for (uint32_t i = 0; i < copier.count; i++)
            memcpy(copier.list[i].to, copier.list[i].from, copier.list[i].len);
        x.info = 0;
    } while (kozo_reply_recv_words(copier.port, &x) == KOZO_OK);
}

enum kozo_err lend_begin(void)
{
    struct kozo_worker_options o = { .stack_pages = 1, .unwatched = true };
    enum kozo_err err;

    copier.small = kozo_window_alloc(KOZO_WINDOW_SMALL, KOZO_FILE_FRAMES * KOZO_PAGE_SIZE);
    copier.large = kozo_window_alloc(KOZO_WINDOW_LARGE, KOZO_FILE_FRAMES * KOZO_LARGE_SIZE);
    copier.port.c = kozo_slot_alloc();
    if (copier.small == 0 || copier.large == 0 || copier.port.c == 0)
        return KOZO_ERR_LIMIT;
    err = kozo_retype(kozo_own_untyped(), KOZO_KIND_ENDPOINT, 0, kozo_own(copier.port.c), 1);
    /* As urgent as this thread may make one. */
    for (; err == KOZO_OK; o.priority++) {
        err = kozo_worker_start(&copier.thread, &o, run, nullptr);
        if (err != KOZO_ERR_PRIORITY)
            break;
        err = KOZO_OK;
    }
    return err;
}

static enum kozo_err map(unsigned i, kozo_cptr slot, bool writable, struct lent *out)
{
    struct kozo_verified v = kozo_cap_verify(kozo_own(slot), kozo_own(0));
    uint64_t rights = KOZO_READ | (writable ? KOZO_WRITE : 0);
    bool large;

    if (v.err != KOZO_OK)
        return v.err;
    if (KOZO_VERIFY_KIND(v.what) == KOZO_KIND_NULL)
        return KOZO_ERR_EMPTY;
    if (KOZO_VERIFY_KIND(v.what) != KOZO_KIND_FRAME || (v.what & KOZO_VERIFY_DEVICE) != 0)
        return KOZO_ERR_KIND;
    large = KOZO_VERIFY_SIZE(v.what) == KOZO_LARGE_BITS;
    out->at =
        (uint8_t *)(large ? copier.large + i * KOZO_LARGE_SIZE : copier.small + i * KOZO_PAGE_SIZE);
    out->len = large ? KOZO_LARGE_SIZE : KOZO_PAGE_SIZE;
    return kozo_memory_map((struct kozo_frame){ slot }, (uint64_t)out->at, rights);
}

static bool copy(const struct copy *list, uint32_t count)
{
    struct kozo_words x = {};

    copier.list = list;
    copier.count = count;
    if (kozo_call_words(copier.port, &x) == KOZO_OK)
        return true;
    if (kozo_worker_run(&copier.thread, run, nullptr) != KOZO_OK)
        kozo_fatal("the thread that copies cannot go on"); /* the next call would wait for ever */
    return false;
}

const struct lend_ops lend_frames = { .map = map, .copy = copy };
