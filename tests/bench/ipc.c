/* SPDX-License-Identifier: MIT */
/*
 * IPC round trips: CALL by the first thread, REPLY_RECV by a server of the same priority, neither
 * with floating point.
 */
#include "bench.h"
#include "stubs.h"

constexpr unsigned rounds = 32;
constexpr uint64_t extra = 52; /* words beyond eight: 60 */

/* ---- servers; in a copied space their memory is their own ---- */

static void serve_echo(void *endpoint)
{
    (void)stub_serve((uint64_t)endpoint);
}

static void serve_increment(void *endpoint)
{
    (void)stub_serve_increment((uint64_t)endpoint);
}

/* The message lies in its buffer, and so does the answer: the last word is one more. */
static void serve_long(void *endpoint)
{
    (void)stub_serve_info((uint64_t)endpoint, extra, &kozo_buffer()->word[extra - 1]);
}

/* One capability fits in slot `window` of the space that all share. */
static kozo_cptr window;

static void serve_caps(void *endpoint)
{
    struct kozo_words x;

    kozo_buffer()->recv_slot = (uint32_t)window;
    kozo_buffer()->recv_count = 1;
    x = (struct kozo_words){ .cap = (uint64_t)endpoint, .info = KOZO_INFO_RECV_CAPS };
    for (enum kozo_err err = kozo_ipc(KOZO_SYS_RECV, &x); err == KOZO_OK;
         err = kozo_ipc(KOZO_SYS_REPLY_RECV, &x)) {
        x.w[0] = (x.info & KOZO_INFO_CAPS_MASK) >> KOZO_INFO_CAPS_SHIFT;
        x.cap = (uint64_t)endpoint;
        x.info = KOZO_INFO_RECV_CAPS;
    }
}

/* ---- clients ---- */

/* What the stubs count when they count nothing. */
static uint32_t nothing(void)
{
    struct exchange x = {};

    return stub_nothing(&x);
}

/* A server of equal priority in a space of its own, or in ours. */
static struct kozo_endpoint start_server(void (*serve)(void *), bool cross)
{
    struct kozo_worker_options o = { .priority = EQUAL };
    struct kozo_endpoint ep = kozo_test_endpoint();

    if (cross)
        (void)kozo_test_thread_in(kozo_test_space_clone(), &o, serve, (void *)ep.c);
    else
        (void)kozo_test_thread_with(&o, serve, (void *)ep.c);
    return ep;
}

static void fill(uint64_t words[KOZO_MSG_REGS], uint64_t round)
{
    for (unsigned i = 0; i < KOZO_MSG_REGS; i++)
        words[i] = (round << 32) + 1000 * i;
}

void measure_round_trips(const char *name, bool cross)
{
    struct series s = { .name = name };
    struct exchange x = { .cap = start_server(serve_echo, cross).c };
    uint32_t cost = nothing();

    for (unsigned i = 0; i < rounds; i++) {
        x.err = 1;
        series_add(&s, stub_call_0w(&x) - cost);
        KOZO_CHECK_EQ(x.err, KOZO_OK);
        KOZO_CHECK_EQ(x.info, 0);
        KOZO_CHECK_EQ(x.badge, 0);
    }
    report(&s);
}

static void round_trips_8w(const char *name, bool cross)
{
    struct series s = { .name = name };
    struct exchange x = { .cap = start_server(serve_increment, cross).c };
    uint32_t cost = nothing();

    for (unsigned i = 0; i < rounds; i++) {
        fill(x.in, i);
        series_add(&s, stub_call_8w(&x) - cost);
        KOZO_CHECK_EQ(x.err, KOZO_OK);
        for (unsigned k = 0; k < KOZO_MSG_REGS; k++)
            KOZO_CHECK_EQ(x.out[k], x.in[k] + 1);
    }
    report(&s);
}

KOZO_TEST(ipc_cross_0w)
{
    ROWS("ipc_cross_0w");
    measure_round_trips("ipc_cross_0w", true);
}

KOZO_TEST(ipc_cross_8w)
{
    ROWS("ipc_cross_8w");
    round_trips_8w("ipc_cross_8w", true);
}

KOZO_TEST(ipc_same_8w)
{
    ROWS("ipc_same_8w");
    round_trips_8w("ipc_same_8w", false);
}

/* The message is already in the buffer, as seL4's is; both messages have 60 words. */
KOZO_TEST(ipc_cross_60w)
{
    struct series s = { .name = "ipc_cross_60w" };
    struct exchange x = {};
    uint64_t *word = kozo_buffer()->word;
    uint32_t cost = nothing();

    ROWS("ipc_cross_60w");
    x.cap = start_server(serve_long, true).c;
    for (unsigned i = 0; i < rounds; i++) {
        for (unsigned k = 0; k < extra; k++)
            word[k] = (uint64_t)i << 32 | k;
        x.info = extra;
        series_add(&s, stub_call_info(&x) - cost);
        KOZO_CHECK_EQ(x.err, KOZO_OK);
        KOZO_CHECK_EQ(x.info, extra);
        for (unsigned k = 0; k < extra; k++)
            KOZO_CHECK_EQ(word[k], ((uint64_t)i << 32 | k) + (k == extra - 1));
    }
    report(&s);
}

/* A copy of an Endpoint goes along; it is taken away again between rounds. */
KOZO_TEST(ipc_cap_transfer)
{
    struct series s = { .name = "ipc_cap_transfer" };
    struct kozo_endpoint ep, given;
    struct exchange x = {};
    uint32_t cost = nothing();

    ROWS("ipc_cap_transfer");
    given = kozo_test_endpoint();
    window = kozo_test_slot();
    ep = start_server(serve_caps, true);
    x.cap = ep.c;
    for (unsigned i = 0; i < rounds; i++) {
        kozo_buffer()->cap[0] = kozo_give(given.c, KOZO_READ | KOZO_WRITE, 0xff);
        x.info = 1ull << KOZO_INFO_CAPS_SHIFT;
        series_add(&s, stub_call_info(&x) - cost);
        KOZO_CHECK_EQ(x.err, KOZO_OK);
        KOZO_CHECK_EQ(kozo_buffer()->sent, 1);
        KOZO_CHECK((kozo_cap_verify(kozo_own(window), kozo_own(given.c)).what & KOZO_VERIFY_SAME) !=
                   0);
        KOZO_CHECK_OK(kozo_cap_delete(kozo_own(window)));
    }
    report(&s);
}
