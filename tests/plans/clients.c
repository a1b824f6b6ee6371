/* SPDX-License-Identifier: MIT */
/*
 * clients.c - two programs that ask policy for a file: one reads it and waits until its lease is
 * over, the other is denied one file, reads another, and gives it back. Both begin anew after an
 * error, and say at their end whether all went well.
 */
#include "world.h"

#undef KOZO_VERSION /* the kernel's: each protocol has one of its own */
#include <kozo/file.h>
#include <kozo/policy.h>
#include <string.h>

#define TRIES 24u
#define PAUSE 5'000'000ull
#define PATIENCE 200'000'000ull

enum { BEGINS, DENIED, ASKED, READS, WAITS, USES, USES_COPY, RELEASED, PAUSES };

static void ask(struct actor *a, const char *object, uint32_t phase)
{
    struct policy_request_req req = { kozo_str(object), KOZO_FILE_READ, kozo_str("to see") };

    a->phase = phase;
    kozo_msg_init(&a->m);
    kozo_msg_window(&a->m, IN_LEASED, 1);
    kozo_msg_deadline(&a->m, machine.now + PATIENCE);
    CHECK(policy_put_request_req(&a->m, &req));
    actor_exchange(a, KOZO_SYS_CALL, IN_POLICY);
}

static void read_on(struct actor *a, struct client *c, uint32_t phase)
{
    struct fs_read_req req = { c->offset, KOZO_FILE_CHUNK };

    a->phase = phase;
    kozo_msg_init(&a->m);
    kozo_msg_deadline(&a->m, machine.now + PATIENCE);
    CHECK(fs_put_read_req(&a->m, &req));
    actor_exchange(a, KOZO_SYS_CALL, phase == USES_COPY ? IN_COPY : IN_LEASED);
}

static void begin(struct actor *a)
{
    if (id_of(a) == ASKER)
        ask(a, "fs:/etc/secret", DENIED);
    else
        ask(a, "fs:/etc/motd", ASKED);
}

/* Something failed: a little later all over again, but not for ever. */
static void again(struct actor *a, struct client *c)
{
    (void)actor_call(a, CAP_DELETE, 0, IN_LEASED);
    (void)actor_call(a, CAP_DELETE, 0, IN_COPY);
    if (++c->tries == TRIES) {
        (void)actor_call(a, THREAD_EXIT, 1);
        return;
    }
    a->phase = PAUSES;
    actor_sleep(a, machine.now + PAUSE);
}

static void take_grant(struct actor *a, struct client *c)
{
    struct policy_request_rep rep;

    if (a->err != KOZO_OK || a->m.err != KOZO_OK || !policy_get_request_rep(&a->m, &rep) ||
        rep.cap.slot == 0) {
        again(a, c);
        return;
    }
    CHECK_EQ(rep.lease_ms, LEASE_MS);
    c->lease = rep.lease;
    c->until = machine.now + rep.lease_ms * 1'000'000ull;
    c->offset = 0;
    (void)actor_call(a, CAP_COPY, 0, IN_COPY, 0, IN_LEASED, KOZO_SAME_RIGHTS);
    read_on(a, c, READS);
}

static void release(struct actor *a, const struct client *c)
{
    struct policy_release_req req = { c->lease };

    a->phase = RELEASED;
    kozo_msg_init(&a->m);
    kozo_msg_deadline(&a->m, machine.now + PATIENCE);
    CHECK(policy_put_release_req(&a->m, &req));
    actor_exchange(a, KOZO_SYS_CALL, IN_POLICY);
}

/* What came is what the file holds there, and goes on where the last message ended. */
static void take_data(struct actor *a, struct client *c)
{
    struct fs_read_rep rep;

    if (a->err != KOZO_OK || a->m.err != KOZO_OK || !fs_get_read_rep(&a->m, &rep)) {
        again(a, c);
        return;
    }
    CHECK_EQ(rep.data.len, min_u64(KOZO_FILE_CHUNK, FILE_BYTES - c->offset));
    memcpy(c->data + c->offset, rep.data.at, rep.data.len);
    c->offset += rep.data.len;
    if (c->offset < FILE_BYTES) {
        read_on(a, c, READS);
        return;
    }
    CHECK(memcmp(c->data, motd(), FILE_BYTES) == 0);
    c->reads++;
    c->offset = 0;
    if (id_of(a) == ASKER) {
        release(a, c);
        return;
    }
    a->phase = WAITS;
    actor_sleep(a, c->until + 1);
}

/*
 * The lease is over, or was given back, and so is what was made of it. When a fault kept policy
 * from ending it in time, the next check finds it gone.
 */
static void take_refusal(struct actor *a, struct client *c)
{
    c->reused += a->err == KOZO_ERR_EMPTY;
    if (a->phase == USES)
        read_on(a, c, USES_COPY);
    else
        (void)actor_call(a, THREAD_EXIT, 0);
}

void client_turn(struct actor *a)
{
    struct client *c = &world.client[id_of(a)];

    if (a->phase != BEGINS)
        actor_result(a);
    switch (a->phase) {
    case BEGINS:
        c->tries = 0;
        begin(a);
        break;
    case PAUSES:
        begin(a);
        break;
    case DENIED:
        if (a->err != KOZO_OK || a->m.err != KOZO_ERR_DENIED) {
            CHECK(a->err != KOZO_OK || a->m.err != KOZO_OK); /* never granted */
            again(a, c);
            break;
        }
        c->denials++;
        ask(a, "fs:/etc/motd", ASKED);
        break;
    case ASKED:
        take_grant(a, c);
        break;
    case READS:
        take_data(a, c);
        break;
    case WAITS:
    case RELEASED:
        read_on(a, c, USES);
        break;
    default:
        take_refusal(a, c);
    }
}
