/* SPDX-License-Identifier: MIT */
/* Processes from birth to end. The program spawns itself; as a child it does what argv[1] says. */
#include <kozo/kozo.h>
#include <kozo/test.h>

#define URGENT 32u
#define LATER 96u

static struct kozo_endpoint ep;

/* A supervisor's view of its child: what the protocol `log` told. */
struct log_server {
    char text[128];
    char got[128];
    bool ok, ready;
};

static enum kozo_err log_text(struct log_server *s, [[maybe_unused]] const struct kozo_msg *m,
                              const struct log_write_req *q,
                              [[maybe_unused]] struct log_write_rep *p)
{
    size_t used = strlen(s->text);

    kozo_str_copy(s->text + used, sizeof(s->text) - used, q->text);
    return KOZO_OK;
}

static enum kozo_err log_ready(struct log_server *s, [[maybe_unused]] const struct kozo_msg *m,
                               [[maybe_unused]] const struct log_ready_req *q,
                               [[maybe_unused]] struct log_ready_rep *p)
{
    s->ready = true;
    return KOZO_OK;
}

static enum kozo_err log_step(struct log_server *s, [[maybe_unused]] const struct kozo_msg *m,
                              const struct log_step_req *q, [[maybe_unused]] struct log_step_rep *p)
{
    s->ok = q->ok != 0;
    kozo_str_copy(s->got, sizeof(s->got), q->got);
    return KOZO_OK;
}

static const struct log_ops log_ops = { .write = log_text, .ready = log_ready, .step = log_step };

/* What the child does: argv[1] says. */
static int child_tells(int argc, char **argv)
{
    struct kozo_cpio archive = { kozo_mapping("initrd").at, kozo_mapping("initrd").bytes };
    struct kozo_cpio_entry e = {};
    struct kozo_bad bad;
    char got[128];
    void *block = malloc(3000);

    (void)kozo_cpio_find(&archive, "bin/init", &e, &bad);
    kozo_snprintf(got, sizeof(got), "argc %d %s name %s caps %d%d%d elf %d heap %d %d clock %d",
                  argc, argv[2], kozo_program_name(), kozo_cap("log") != 0, kozo_cap("other") != 0,
                  kozo_own_thread().c != 0,
                  e.size > 4 && memcmp(e.data,
                                       "\x7f"
                                       "ELF",
                                       4) == 0,
                  block != nullptr, malloc(1 << 20) != nullptr, kozo_now() > 0);
    free(block);
    kozo_printf("one line");
    kozo_printf(" in two parts\n");
    (void)kozo_step("child", true, "", got);
    (void)kozo_ready();
    return 7;
}

static int child_faults(void)
{
    *(volatile int *)0x123456789000 = 1;
    return 0;
}

/* Asks for what the policy of the test grants, and for what it denies. */
static int child_asks(void)
{
    struct kozo_grant g, denied;
    char got[128];

    (void)kozo_request("fs:/a", KOZO_FILE_READ, "to test", &g);
    (void)kozo_request("fs:/b", KOZO_FILE_WRITE, "to test", &denied);
    kozo_snprintf(got, sizeof(got), "%s %lu %s, %s %s %s %lu", kozo_err_name(g.err), g.lease_ms,
                  g.reason, kozo_err_name(denied.err), denied.reason, denied.hint, denied.cap.c);
    (void)kozo_step("asks", kozo_signal((struct kozo_notification){ g.cap.c }, 4) == KOZO_OK, "",
                    got);
    return 0;
}

int kozo_test_child(int argc, char **argv)
{
    if (strcmp(argv[1], "tell") == 0)
        return child_tells(argc, argv);
    if (strcmp(argv[1], "ask") == 0)
        return child_asks();
    return child_faults();
}

/*
 * Serves the child's log until its end or fault arrives on the same endpoint; the message is then
 * in *m.
 */
static void serve_log(struct kozo_endpoint port, struct log_server *s, struct kozo_msg *m)
{
    kozo_msg_init(m);
    kozo_msg_deadline(m, kozo_now() + 5 * KOZO_S);
    KOZO_REQUIRE_OK(kozo_recv(port, m));
    while ((m->what & KOZO_MSG_FAULT) == 0) {
        m->err = log_dispatch(&log_ops, s, m);
        KOZO_REQUIRE_OK(kozo_reply_recv(port, m));
    }
}

/* A child with an endpoint for log and faults. */
static struct kozo_process spawn(struct kozo_endpoint port, int argc, const char *const *argv)
{
    const struct kozo_boot_info *b = kozo_boot_info();
    const struct kozo_spawn_cap caps[] = {
        { .name = "log", .from = kozo_own(port.c), .rights = KOZO_WRITE, .badge = 77 }
    };
    const struct kozo_spawn_map maps[] = {
        { "initrd",
          { b->initrd_small, b->initrd_large, b->initrd_tail },
          b->initrd_bytes,
          KOZO_READ },
    };

    return kozo_test_spawn(&(struct kozo_spawn){ .argc = argc,
                                                 .argv = argv,
                                                 .fault = port,
                                                 .fault_badge = 9,
                                                 .caps = caps,
                                                 .ncaps = 1,
                                                 .maps = maps,
                                                 .nmaps = 1,
                                                 .heap_pages = 2,
                                                 .priority = LATER });
}

KOZO_TEST(a_child_finds_what_it_was_given)
{
    static const char *const argv[] = { "tell", "two words" };
    struct kozo_endpoint port = kozo_test_endpoint();
    struct log_server s = {};
    struct kozo_msg m;

    (void)spawn(port, 2, argv);
    serve_log(port, &s, &m);
    KOZO_CHECK_STR(s.text, "one line in two parts\n");
    KOZO_CHECK_STR(s.got, "argc 3 two words name child caps 100 elf 1 heap 1 0 clock 1");
    KOZO_CHECK(s.ok && s.ready);
    KOZO_CHECK_EQ(m.badge, 9);
    KOZO_CHECK_EQ(m.word[0], KOZO_FAULT_EXIT);
    KOZO_CHECK_EQ(m.word[1], 7);
}

KOZO_TEST(a_childs_fault_is_told)
{
    static const char *const argv[] = { "fault" };
    struct kozo_endpoint port = kozo_test_endpoint();
    struct kozo_process p = spawn(port, 1, argv);
    struct log_server s = {};
    struct kozo_msg m;

    serve_log(port, &s, &m);
    KOZO_CHECK_EQ(m.word[0], KOZO_FAULT_PAGE);
    KOZO_CHECK_EQ(m.word[1], 0x123456789000);
    KOZO_CHECK_EQ(m.word[6], KOZO_WRITE);
    KOZO_CHECK_EQ(m.word[7], p.serial);
}

KOZO_TEST(a_destroyed_process_leaves_its_memory_whole)
{
    static const char *const argv[] = { "tell", "x" };
    struct kozo_endpoint port = kozo_test_endpoint();
    struct kozo_untyped memory = { 0 };
    struct kozo_pool pool = { 0 };

    for (int round = 0; round < 3; round++) {
        uint32_t slots = kozo_slots_left();
        const struct kozo_spawn_cap caps[] = {
            { .name = "log", .from = kozo_own(port.c), .rights = KOZO_WRITE, .badge = 1 }
        };
        struct kozo_process p = kozo_test_spawn(&(struct kozo_spawn){ .memory = memory,
                                                                      .pool = pool,
                                                                      .argc = 2,
                                                                      .argv = argv,
                                                                      .fault = port,
                                                                      .caps = caps,
                                                                      .ncaps = 1,
                                                                      .priority = LATER });
        struct log_server s = {};
        struct kozo_msg m;

        KOZO_REQUIRE(p.thread.c != 0);
        memory = p.memory;
        pool = p.pool;
        serve_log(port, &s, &m);
        KOZO_CHECK_EQ(m.word[0], KOZO_FAULT_EXIT);
        kozo_process_destroy(&p);
        KOZO_CHECK(kozo_test_settle());
        KOZO_CHECK_EQ(kozo_untyped_info(memory).free, 1 << 20);
        KOZO_CHECK_EQ(kozo_pool_info(pool).value, 1);
        if (round > 0)
            KOZO_CHECK_EQ(kozo_slots_left(), slots);
    }
}

/* Whatever step the memory runs out at, nothing is left behind. */
KOZO_TEST(a_spawn_that_fails_leaves_nothing)
{
    struct kozo_endpoint port = kozo_test_endpoint();
    const struct kozo_spawn_cap caps[] = {
        { .name = "log", .from = kozo_own(port.c), .rights = KOZO_WRITE, .badge = 1 }
    };
    struct kozo_spawn s = { .fault = port, .caps = caps, .ncaps = 1, .priority = LATER };
    const char *last = "";
    unsigned steps = 0;

    kozo_test_spawn_fill(&s);
    for (uint64_t used = 0; used < 48; used++) {
        uint32_t slots = kozo_slots_left();
        uint64_t caps_before = kozo_test_stat(KOZO_STAT_CAPS);
        struct kozo_spawn_report report;
        struct kozo_process p;
        enum kozo_err err;

        s.memory = kozo_test_untyped(used < 20 ? 6 + (unsigned)used / 2 : 16);
        s.heap_pages = used < 20 ? 0 : (uint32_t)used;
        err = kozo_spawn(&s, &p, &report);
        KOZO_CHECK_ERR(err, KOZO_ERR_NOMEM);
        KOZO_CHECK_ERR(report.err, err);
        steps += strcmp(last, report.step) != 0;
        last = report.step;
        KOZO_CHECK(kozo_test_settle());
        KOZO_CHECK_EQ(kozo_untyped_info(s.memory).free, kozo_untyped_info(s.memory).size);
        KOZO_CHECK_EQ(kozo_pool_info(s.pool).value, 1);
        kozo_slot_drop(s.memory.c);
        KOZO_CHECK(used == 0 || kozo_slots_left() == slots);
        KOZO_CHECK(used == 0 || kozo_test_stat(KOZO_STAT_CAPS) == caps_before);
    }
    KOZO_CHECK(steps >= 4);
}

KOZO_TEST(a_capability_to_be_moved_stays_when_spawn_fails)
{
    struct kozo_notification n = kozo_test_notification();
    const struct kozo_spawn_cap caps[] = {
        { .name = "once", .from = kozo_own(n.c), .move = true },
        { .name = "twice", .from = kozo_own(n.c), .move = true },
    };
    struct kozo_spawn s = { .caps = caps, .ncaps = 2, .priority = LATER };
    struct kozo_spawn_report report;
    struct kozo_process p;

    kozo_test_spawn_fill(&s);
    KOZO_CHECK_ERR(kozo_spawn(&s, &p, &report), KOZO_ERR_EMPTY);
    KOZO_CHECK_STR(report.step, "capability");
    KOZO_CHECK_EQ(report.index, 1);
    KOZO_CHECK_OK(kozo_signal(n, 1));
    s.ncaps = 1;
    KOZO_CHECK_OK(kozo_spawn(&s, &p, &report));
    KOZO_CHECK_ERR(kozo_signal(n, 1), KOZO_ERR_EMPTY);
}

KOZO_TEST(spawn_says_what_is_wrong)
{
    struct kozo_spawn s = { .priority = LATER }, wrong;
    struct kozo_spawn_report report;
    struct kozo_process p;
    struct kozo_endpoint e;

    kozo_test_spawn_fill(&s);
    wrong = s, wrong.cnode_bits = 3;
    KOZO_CHECK_ERR(kozo_spawn(&wrong, &p, &report), KOZO_ERR_ARGUMENT);
    wrong = s, wrong.stack_pages = 509;
    KOZO_CHECK_ERR(kozo_spawn(&wrong, &p, &report), KOZO_ERR_ARGUMENT);
    wrong = s, wrong.name = "a name that is longer than 31 bytes";
    KOZO_CHECK_ERR(kozo_spawn(&wrong, &p, &report), KOZO_ERR_LIMIT);
    wrong = s, wrong.image_bytes = 1000;
    KOZO_CHECK_ERR(kozo_spawn(&wrong, &p, &report), KOZO_ERR_FORMAT);
    KOZO_CHECK(report.bad.field != nullptr);
    wrong = s, wrong.image = "#!/bin/sh";
    KOZO_CHECK_ERR(kozo_spawn(&wrong, &p, &report), KOZO_ERR_FORMAT);
    KOZO_CHECK_STR(report.step, "image");
    e.c = kozo_test_slot();
    KOZO_REQUIRE_OK(kozo_retype(s.memory, KOZO_KIND_ENDPOINT, 0, kozo_own(e.c), 1));
    KOZO_CHECK_ERR(kozo_spawn(&s, &p, &report), KOZO_ERR_STATE);
    KOZO_CHECK_OK(kozo_cap_verify(kozo_own(e.c), kozo_own(0)).err); /* it was not revoked */
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(e.c)));
    wrong = s, wrong.priority = 256;
    KOZO_CHECK_ERR(kozo_spawn(&wrong, &p, &report), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_OK(kozo_spawn(&s, &p, &report));
    wrong = s, wrong.memory = kozo_test_untyped(20);
    KOZO_CHECK_ERR(kozo_spawn(&wrong, &p, &report), KOZO_ERR_QUOTA);
}

/* ---- policy ---- */

struct policy_server {
    struct kozo_notification object;
};

static enum kozo_err decide(struct policy_server *s, [[maybe_unused]] const struct kozo_msg *m,
                            const struct policy_request_req *q, struct policy_request_rep *p)
{
    if (!kozo_str_is(q->object, "fs:/a") || q->rights != KOZO_FILE_READ) {
        p->reason = kozo_str("rule 2");
        p->hint = kozo_str("ask less");
        return KOZO_ERR_DENIED;
    }
    p->cap = kozo_give(s->object.c, KOZO_WRITE, 0);
    p->lease = 1;
    p->lease_ms = 200;
    p->reason = kozo_str("rule 1");
    return KOZO_OK;
}

static struct policy_server policy;

static void serve_policy([[maybe_unused]] void *arg)
{
    static const struct policy_ops ops = { .request = decide };
    static struct kozo_msg m;

    kozo_msg_init(&m);
    for (kozo_recv(ep, &m);; kozo_reply_recv(ep, &m))
        m.err = policy_dispatch(&ops, &policy, &m);
}

KOZO_TEST(a_child_asks_policy_and_is_granted_or_told_why_not)
{
    static const char *const argv[] = { "ask" };
    struct kozo_endpoint port = kozo_test_endpoint();
    struct log_server s = {};
    struct kozo_msg m;

    ep = kozo_test_endpoint();
    policy.object = kozo_test_notification();
    (void)kozo_test_thread(serve_policy, nullptr, URGENT);
    const struct kozo_spawn_cap caps[] = {
        { .name = "log", .from = kozo_own(port.c), .rights = KOZO_WRITE, .badge = 1 },
        { .name = "policy",
          .from = kozo_own(ep.c),
          .rights = KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT, 0),
          .badge = 2 },
    };
    (void)kozo_test_spawn(&(struct kozo_spawn){ .argc = 1,
                                                .argv = argv,
                                                .fault = port,
                                                .caps = caps,
                                                .ncaps = 2,
                                                .priority = LATER });
    serve_log(port, &s, &m);
    KOZO_CHECK_EQ(m.word[0], KOZO_FAULT_EXIT);
    KOZO_CHECK_STR(s.got, "OK 200 rule 1, DENIED rule 2 ask less 0");
    KOZO_CHECK(s.ok);
    KOZO_CHECK_EQ(kozo_poll(policy.object).value, 4);
}
