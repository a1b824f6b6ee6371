/* SPDX-License-Identifier: MIT */
/*
 * protocol.c - the bytes are messages received, one after another. What takes apart as a request
 * goes together again to the very same words; servers just started make an answer of anything.
 */
#include "archive.h"
#include "fuzz.h"

#include "fsd/serve.h"
#include <kozo/console.h>
#include <kozo/log.h>
#include <kozo/policy.h>
#include <kozo/system.h>
#include <string.h>

#define HEADER 17u /* bytes: how many words, label, flags, rights, slots, badge */
#define MESSAGES_MOST 24u
#define CLIENT identity_badge(7, 1)

struct input {
    const uint8_t *byte;
    size_t left;
};

/* As recv leaves a message: at least eight words, the rest of the array full of old ones. */
static bool receive(struct kozo_msg *m, struct input *in)
{
    const uint8_t *h = in->byte;
    size_t words;

    if (in->left < HEADER)
        return false;
    memset(m, 0xa5, sizeof *m);
    kozo_msg_init(m);
    memcpy(&m->label, h + 1, 4);
    m->what = h[5] & 15;
    m->user = h[6];
    m->received = h[7] & 7;
    m->recv_slot = h[8];
    memcpy(&m->badge, h + 9, 8);
    words = h[0] % (KOZO_MSG_WORDS + 1);
    if (words > (in->left - HEADER) / 8)
        words = (in->left - HEADER) / 8;
    memset(m->word, 0, KOZO_MSG_REGS * sizeof m->word[0]);
    memcpy(m->word, h + HEADER, words * 8);
    m->nwords = (uint8_t)(words > KOZO_MSG_REGS ? words : KOZO_MSG_REGS);
    in->byte += HEADER + words * 8;
    in->left -= HEADER + words * 8;
    return true;
}

/* The words that were taken apart, and those made of them. */
static void check_same(const struct kozo_msg *got, const struct kozo_msg *made)
{
    MUST(!made->bad && made->at == got->at);
    MUST(memcmp(made->word, got->word, made->at * sizeof made->word[0]) == 0);
}

#define KOZO_VERSION(major, minor)
#define ROUND(proto, name)                                                                         \
    {                                                                                              \
        struct kozo_msg got = *m, made;                                                            \
        struct proto##_##name##_req q;                                                             \
        struct proto##_##name##_rep p;                                                             \
                                                                                                   \
        kozo_msg_init(&made);                                                                      \
        if (proto##_get_##name##_req(&got, &q)) {                                                  \
            MUST(proto##_put_##name##_req(&made, &q));                                             \
            check_same(&got, &made);                                                               \
        }                                                                                          \
        got = *m;                                                                                  \
        if (proto##_get_##name##_rep(&got, &p)) {                                                  \
            MUST(proto##_put_##name##_rep(&made, &p));                                             \
            check_same(&got, &made);                                                               \
        }                                                                                          \
    }

static void round_trips(const struct kozo_msg *m)
{
#define KOZO_OP(nr, NAME, name, req, rep, text) ROUND(console, name)
#include <kozo/proto/console.def>
#undef KOZO_OP
#define KOZO_OP(nr, NAME, name, req, rep, text) ROUND(fs, name)
#include <kozo/proto/fs.def>
#undef KOZO_OP
#define KOZO_OP(nr, NAME, name, req, rep, text) ROUND(log, name)
#include <kozo/proto/log.def>
#undef KOZO_OP
#define KOZO_OP(nr, NAME, name, req, rep, text) ROUND(policy, name)
#include <kozo/proto/policy.def>
#undef KOZO_OP
#define KOZO_OP(nr, NAME, name, req, rep, text) ROUND(system, name)
#include <kozo/proto/system.def>
#undef KOZO_OP
}

/* ---- servers ---- */

struct log_server {
    uint32_t asked;
};
struct policy_server {
    uint32_t asked;
};

static enum kozo_err on_write(struct log_server *s, const struct kozo_msg *m,
                              const struct log_write_req *q, struct log_write_rep *)
{
    MUST(m->bad == 0 && strlen(q->text.at) == q->text.len && q->text.len <= 400);
    s->asked++;
    return KOZO_OK;
}

static enum kozo_err on_request(struct policy_server *s, const struct kozo_msg *,
                                const struct policy_request_req *q, struct policy_request_rep *p)
{
    MUST(q->object.len <= 255 && q->reason.len <= 127);
    s->asked++;
    p->reason = kozo_str("a reason");
    p->hint = kozo_str("a hint");
    return KOZO_ERR_DENIED;
}

/* A small archive: a directory with a file, the file once more at the top. */
static uint64_t make_archive(uint8_t *archive, uint64_t room)
{
    static const struct archive_entry entries[] = {
        { "dir", 0040755, nullptr, 0, 0, 0 },
        { "dir/inner", 0100644, "abcd", 4, 0, 0 },
        { "top", 0100644, "efghijkl", 8, 0, 0 },
    };
    uint64_t at = 0;

    for (uint32_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
        at = archive_put(archive, room, at, entries[i]);
    return archive_end(archive, room, at);
}

/* No Frame ever comes. */
static enum kozo_err map_nothing(unsigned, kozo_cptr, bool, struct lent *) { return KOZO_ERR_KIND; }

static bool copy_nothing(const struct copy *, uint32_t) { return false; }

static enum kozo_err give(uint32_t, uint64_t rights, uint64_t badge, struct kozo_cap_desc *out)
{
    *out = kozo_give_badged(5, KOZO_WRITE, rights, badge);
    return KOZO_OK;
}

static bool arrived(void) { return true; }

static void revoke(uint32_t) {}

/* fsd as it starts: the archive, and files in memory; one client was heard of. */
static struct fs_server *file_server(void)
{
    static struct fs_server server;
    static uint64_t memory[4096];
    static uint8_t archive[1024];
    static const struct ram_plan ram = { 64, 32, 40, 20 };
    static const struct lend_ops lend = { map_nothing, copy_nothing };
    static const struct origin_ops slots = { give, arrived, revoke };
    static uint8_t blocks[64 * STORE_BLOCK];
    static uint64_t tables[4096];
    struct kozo_cpio c = { archive, 0 };
    struct kozo_bad bad = {};
    struct lookup_plan plan;

    c.bytes = make_archive(archive, sizeof archive);
    plan = lookup_plan(&c, &bad);
    MUST(plan.err == KOZO_OK && plan.bytes <= sizeof memory);
    MUST(ram_plan_bytes(&ram) <= sizeof tables);
    memset(&server, 0, sizeof server);
    memset(memory, 0, plan.bytes);
    memset(tables, 0, ram_plan_bytes(&ram));
    MUST(lookup_build(&server.tree, &c, memory, &bad) == KOZO_OK);
    ram_begin(&server, &ram, blocks, tables);
    server.lend = &lend;
    server.origins.ops = &slots;
    origin_hear(&server.origins, CLIENT);
    return &server;
}

static void check_answer(const struct kozo_msg *m, enum kozo_err err)
{
    MUST(m->nwords <= KOZO_MSG_WORDS && m->ncaps <= KOZO_MSG_CAPS && !m->bad);
    MUST(err < 128);
}

static void serve(struct fs_server *files, const struct kozo_msg *received)
{
    uint8_t origin = origin_of_account(account_of(CLIENT));
    static const struct log_ops log = { .write = on_write };
    static const struct policy_ops policy = { .request = on_request };
    struct log_server log_server = {};
    struct policy_server policy_server = {};
    struct kozo_msg m = *received;

    check_answer(&m, fs_dispatch(&files_ops, files, &m));
    m = *received;
    m.badge = handle_badge(files, (struct file){ (uint32_t)(received->badge % 5), false }, origin);
    check_answer(&m, fs_dispatch(&files_ops, files, &m));
    m = *received;
    m.badge = handle_badge(files, (struct file){ (uint32_t)(received->badge % 32), true }, origin);
    check_answer(&m, fs_dispatch(&files_ops, files, &m));
    m = *received;
    check_answer(&m, log_dispatch(&log, &log_server, &m));
    m = *received;
    check_answer(&m, policy_dispatch(&policy, &policy_server, &m));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kozo_msg m;
    struct input in = { data, size };
    struct fs_server *files = file_server();

    for (uint32_t i = 0; i < MESSAGES_MOST && receive(&m, &in); i++) {
        round_trips(&m);
        serve(files, &m);
    }
    return 0;
}
