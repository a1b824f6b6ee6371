/* SPDX-License-Identifier: MIT */
#include <kozo/test.h>

static struct kozo_endpoint ep;
static struct kozo_notification go;
static volatile uint32_t other_ran;
static volatile uint32_t client_gave_up, client_done;

static void server(void *arg)
{
    struct kozo_words m;
    (void)arg;
    (void)kozo_recv_words(ep, &m);
    for (;;) {
        (void)kozo_signal(go, 1); /* the client's equal becomes ready */
        m = (struct kozo_words){};
        if (kozo_reply_recv_words(ep, &m) != KOZO_OK)
            return;
    }
}
static void other(void *arg)
{
    (void)arg;
    (void)kozo_wait(go);
    other_ran = 1;
}
static void client(void *arg)
{
    struct kozo_words m = {};
    uint64_t until;
    (void)arg;
    (void)kozo_call_words(ep, &m);
    until = kozo_now() + 500 * KOZO_MS;
    while (other_ran == 0 && kozo_now() < until) {
    }
    client_gave_up = other_ran == 0;
    client_done = 1;
}
KOZO_TEST(an_equal_gets_its_turn_after_a_fast_reply)
{
    ep = kozo_test_endpoint();
    go = kozo_test_notification();
    (void)kozo_test_thread(server, nullptr, 70);
    (void)kozo_test_thread(other, nullptr, 100);
    (void)kozo_sleep(5 * KOZO_MS);
    (void)kozo_test_thread(client, nullptr, 100);
    (void)kozo_sleep(1000 * KOZO_MS); /* no deadline inside the client's half second */
    KOZO_CHECK(client_done == 1);
    KOZO_CHECK(client_gave_up == 0);
}
