/* SPDX-License-Identifier: MIT */
#include "world.h"

#include "common/identity.h"

#include <string.h>

#define HASH "0000000000000000000000000000000000000000000000000000000000000000"
#define SERVICE(name, more)                                                                        \
    "[service " name "]\nbinary = b\nsha256 = " HASH "\nmemory = 64K\n" more "\n"

static const char conf[] = SERVICE(
    "fsd", "provides = fs\nrestart = on-failure\nrestart_limit = 3\nrestart_backoff_ms = 10")
    SERVICE("policy",
            "provides = policy\nrestart = always\nrestart_limit = 3\nrestart_backoff_ms = 10")
        SERVICE("reader",
                "requests = fs\nrestart = on-failure\nrestart_limit = 2\nrestart_backoff_ms = 5")
            SERVICE("asker", "requests = fs\nrestart = never") SERVICE(
                "writer",
                "capabilities = fs\nrestart = on-failure\nrestart_limit = 2\nrestart_backoff_ms = "
                "5") "[rule etc]\nsubject = *\nobject = fs:/etc/*\nrights = read\ndecision = "
                     "allow\nlease_ms = 40\n"
                     "[rule no]\nsubject = *\nobject = fs:/etc/secret\nrights = read\ndecision = "
                     "deny\n";

struct world world;

#define SYS(NAME, ...) CHECK_OK(call(host.init, NAME, __VA_ARGS__))

/* ---- starting ---- */

static void give(uint32_t k, uint64_t to, uint32_t provider, uint64_t badge)
{
    SYS(CAP_MINT, part_of(k, PART_CNODE), to, 0, part_of(provider, PART_PORT),
        KOZO_WRITE | KOZO_GRANT | 0xff00, badge);
}

/*
 * What names stand for in the living services: those of others that run, with this one's identity
 * as badge.
 */
static void give_names(uint32_t k, uint64_t badge)
{
    if ((k == POLICY || k == WRITER) && world.service[FSD].running)
        give(k, IN_FS, FSD, badge);
    if ((k == READER || k == ASKER) && world.service[POLICY].running)
        give(k, IN_POLICY, POLICY, badge);
}

static uint64_t badge_of(uint32_t k) { return identity_badge(k, world.service[k].lives); }

static void fill_space(uint32_t k, uint64_t badge)
{
    uint64_t cnode = part_of(k, PART_CNODE);

    if (k == FSD || k == POLICY)
        SYS(CAP_COPY, cnode, IN_SERVE, 0, part_of(k, PART_PORT), KOZO_SAME_RIGHTS);
    if (k == POLICY)
        SYS(CAP_COPY, cnode, IN_LEASES, 0, AT_LEASES, KOZO_SAME_RIGHTS);
    SYS(CAP_COPY, cnode, SLOT_CNODE, 0, cnode, KOZO_SAME_RIGHTS);
    give_names(k, badge);
}

/* Those who run find the new one under its name. */
static void tell_the_others(uint32_t k)
{
    for (uint32_t other = 0; other < SERVICES && !plan_sabotages(SABOTAGE_OLD_NAMES); other++)
        if (other != k && world.service[other].running &&
            ((k == FSD && (other == POLICY || other == WRITER)) ||
             (k == POLICY && (other == READER || other == ASKER))))
            give_names(other, badge_of(other));
}

static void start_service(uint32_t k)
{
    struct service *s = &world.service[k];

    CHECK(s->lives < LIVES_MAX);
    s->lives++;
    s->life[s->lives] = (struct life){ .began = machine.now };
    SYS(RETYPE, part_of(k, PART_MEMORY), KOZO_WHAT(KOZO_KIND_CNODE, 6), 0, part_of(k, PART_CNODE),
        1);
    SYS(RETYPE, part_of(k, PART_MEMORY), KOZO_WHAT(KOZO_KIND_FRAME, KOZO_PAGE_BITS), 0,
        part_of(k, PART_BUFFER), 1);
    SYS(THREAD_CREATE, part_of(k, PART_POOL), 0, part_of(k, PART_THREAD), 0, HOST_PRIORITY);
    fill_space(k, badge_of(k));
    SYS(CAP_MINT, 0, SLOT_KEPT, 0, SLOT_EP, KOZO_SAME_RIGHTS, badge_of(k));
    SYS(THREAD_BIND, part_of(k, PART_THREAD), part_of(k, PART_CNODE), SLOT_SPACE,
        part_of(k, PART_BUFFER), 0, SLOT_KEPT);
    SYS(CAP_DELETE, 0, SLOT_KEPT);
    supervise_started(&s->supervise, machine.now);
    s->running = true;
    actor_start(&s->a, (struct tcb *)host_slot(part_of(k, PART_THREAD))->cap.object);
    SYS(THREAD_START, part_of(k, PART_THREAD), HOST_ENTRY, 0, 0, 0);
    tell_the_others(k);
}

/* ---- ending ---- */

static void end_leases(void)
{
    for (uint64_t slot = 1; slot <= LEASES; slot++) {
        if (call(host.init, CAP_REVOKE, AT_LEASES, slot) == KOZO_OK)
            SYS(CAP_DELETE, AT_LEASES, slot);
    }
    memset(&world.leases, 0, sizeof world.leases);
    world.leases_ended = true;
}

/* All it held was made of its memory and threads, all it gave came from its port. */
static void end_service(uint32_t k, bool well)
{
    struct service *s = &world.service[k];

    s->life[s->lives].ended = machine.now;
    s->life[s->lives].over = true;
    s->life[s->lives].well = well;
    SYS(CAP_REVOKE, 0, part_of(k, PART_POOL));
    SYS(CAP_REVOKE, 0, part_of(k, PART_MEMORY));
    if ((k == FSD || k == POLICY) && !plan_sabotages(SABOTAGE_PORT_STAYS))
        SYS(CAP_REVOKE, 0, part_of(k, PART_PORT));
    s->running = false;
    s->a.t = nullptr;
    if (supervise_ended(&s->supervise, &s->policy, well, machine.now) != SUPERVISE_RESTART &&
        k == POLICY)
        end_leases();
    if (plan_sabotages(SABOTAGE_NO_PAUSE) && s->supervise.again != SUPERVISE_NEVER)
        s->supervise.again = machine.now;
}

/* ---- init ---- */

enum { INIT_BEGINS, INIT_WAITS };

static uint64_t next_start(void)
{
    uint64_t next = SUPERVISE_NEVER;

    for (uint32_t k = 0; k < SERVICES; k++)
        next = min_u64(next, world.service[k].supervise.again);
    return next;
}

static void take_fault(const struct kozo_msg *m)
{
    uint32_t k = identity_index(m->badge);

    if (k >= SERVICES || m->badge != badge_of(k) || !world.service[k].running)
        return;
    end_service(k, m->word[0] == KOZO_FAULT_EXIT && m->word[1] == 0);
    world_check(false);
}

void init_turn(struct actor *a)
{
    if (a->phase == INIT_BEGINS) {
        for (uint32_t k = 0; k < SERVICES; k++)
            start_service(k);
    } else {
        actor_result(a);
        if (a->err == KOZO_OK && (a->m.what & KOZO_MSG_FAULT) != 0)
            take_fault(&a->m);
    }
    for (uint32_t k = 0; k < SERVICES; k++)
        if (supervise_due(&world.service[k].supervise, machine.now))
            start_service(k);
    a->phase = INIT_WAITS;
    kozo_msg_init(&a->m);
    if (next_start() != SUPERVISE_NEVER)
        kozo_msg_deadline(&a->m, next_start());
    actor_exchange(a, KOZO_SYS_RECV, SLOT_EP);
}

/* ---- the beginning ---- */

static void make_parts(uint32_t k)
{
    host_make(part_of(k, PART_MEMORY), KOZO_KIND_UNTYPED, 16);
    SYS(POOL_SPLIT, SLOT_POOL, 0, part_of(k, PART_POOL), 1);
    if (k == FSD || k == POLICY)
        host_make(part_of(k, PART_PORT), KOZO_KIND_ENDPOINT, 0);
}

static void settled(void) { world_check(true); }

void world_begin(const struct fault_plan *plan)
{
    static void (*const turn[SERVICES])(struct actor *) = { fsd_turn, policy_turn, client_turn,
                                                            client_turn, writer_turn };
    struct manifest_problem problem;

    host_boot();
    world = (struct world){ .init = { .name = "init", .turn = init_turn } };
    problem = manifest_parse(&world.manifest, kozo_str(conf));
    if (problem.expected != nullptr)
        FAIL("manifest, line %u: expected %s", problem.line, problem.expected);
    actors_begin(plan, settled);
    host_make(AT_LEASES, KOZO_KIND_CNODE, LEASE_CNODE_BITS);
    host_seldom();
    fsd_begin();
    for (uint32_t k = 0; k < SERVICES; k++) {
        struct service *s = &world.service[k];

        s->m = &world.manifest.service[k];
        s->policy = supervise_policy(s->m);
        s->supervise = supervise_begin();
        s->a.turn = turn[k];
        s->a.nests = k == POLICY;
        s->a.name = (const char *[]){ "fsd", "policy", "reader", "asker", "writer" }[k];
        make_parts(k);
        actor_add(&s->a);
    }
    actor_add(&world.init);
    actor_start(&world.init, host.init);
    host_trace(HOST_TRACE_ALL);
    actors_arm();
}

bool world_done(void)
{
    for (uint32_t k = READER; k < SERVICES; k++)
        if (world.service[k].running || world.service[k].supervise.again != SUPERVISE_NEVER)
            return false;
    return true;
}
