/* SPDX-License-Identifier: MIT */
#include "init/start.h"
#include "common/identity.h"
#include "common/line.h"
#include "common/words.h"
#include "init/archive.h"
#include "init/carve.h"
#include "init/output.h"
#include "init/sweep.h"
#include "policy/lease.h"

#include <kozo/sha256.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/system.h>
#include <kozo/time.h>

/* ---- what has to be there before the first service ---- */

constexpr unsigned port_bits = 7;
static_assert(KOZO_ENDPOINT_BYTES == 1u << port_bits);

static enum kozo_err carve_own(struct init *i, enum kozo_kind kind, unsigned bits, kozo_cptr *slot)
{
    *slot = kozo_slot_alloc();
    if (*slot == 0)
        return KOZO_ERR_LIMIT;
    return kozo_retype(i->own, kind, bits, kozo_own(*slot), 1);
}

/* An Endpoint for its next life, out of memory that is its own: so nothing is used up. */
static enum kozo_err make_port(struct service *s)
{
    enum kozo_err err;

    if (s->port_memory.c == 0 || s->port.c != 0)
        return KOZO_OK;
    s->port.c = kozo_slot_alloc();
    if (s->port.c == 0)
        return KOZO_ERR_LIMIT;
    err = kozo_retype(s->port_memory, KOZO_KIND_ENDPOINT, 0, kozo_own(s->port.c), 1);
    if (err == KOZO_OK)
        return KOZO_OK;
    kozo_slot_free(s->port.c);
    s->port.c = 0;
    return err;
}

/* The Endpoint goes, and all that was ever derived from it. Who waits at it wakes with GONE. */
static void end_port(struct service *s)
{
    if (s->port.c == 0)
        return;
    (void)kozo_cap_revoke(kozo_own(s->port_memory.c));
    kozo_slot_free(s->port.c);
    s->port.c = 0;
}

static enum kozo_err make_leases(struct init *i)
{
    i->leases = kozo_memory_alloc(i->own, sizeof(struct lease_store));
    if (i->leases.err != KOZO_OK)
        return i->leases.err;
    return carve_own(i, KOZO_KIND_CNODE, LEASE_CNODE_BITS, &i->lease_slots.c);
}

static bool holds_leases(const struct service *s)
{
    return manifest_has(&s->m->capabilities, kozo_str("leases"));
}

static enum kozo_err begin_one(struct init *i, struct service *s)
{
    enum kozo_err err = KOZO_OK;

    s->given = kozo_slots_alloc(s->m->capabilities.count + 1);
    if (s->given == 0)
        err = KOZO_ERR_LIMIT;
    if (err == KOZO_OK && s->m->provides.len > 0)
        err = carve_own(i, KOZO_KIND_UNTYPED, port_bits, &s->port_memory.c);
    if (err == KOZO_OK)
        err = make_port(s);
    if (err == KOZO_OK && i->lease_slots.c == 0 && holds_leases(s))
        err = make_leases(i);
    return err;
}

struct start_problem start_begin(struct init *i)
{
    for (uint32_t k = 0; k < i->manifest.services; k++) {
        struct service *s = &i->service[k];
        enum kozo_err err;

        *s = (struct service){ .m = &i->manifest.service[k], .care = supervise_begin() };
        err = begin_one(i, s);
        if (err != KOZO_OK)
            return problem_of(s, "room for what it works with", err);
    }
    return (struct start_problem){};
}

/* ---- the binary ---- */

/* The archive is mapped nowhere to be written: what was verified once is what was verified. */
static struct start_problem verify(struct init *i, struct service *s, struct kozo_bytes *image)
{
    struct start_problem p = problem_of(s, "", KOZO_ERR_HASH);
    struct line want = line_begin(p.expected, sizeof p.expected);
    struct line got = line_begin(p.got, sizeof p.got);
    uint8_t digest[KOZO_SHA256_BYTES];

    *image = archive_file(i, s->m->binary);
    line_add_str(&want, s->m->binary);
    if (image->at == nullptr) {
        line_add(&want, " in the archive");
        line_add(&got, archive_missing(i, s->m->binary));
        return p;
    }
    if (!s->verified)
        kozo_sha256(image->at, image->len, digest);
    if (s->verified || memcmp(digest, s->m->sha256, sizeof digest) == 0) {
        s->verified = true;
        return (struct start_problem){};
    }
    line_add(&want, " with sha256 ");
    line_add_bytes(&want, s->m->sha256, sizeof digest);
    line_add(&got, "sha256 ");
    line_add_bytes(&got, digest, sizeof digest);
    return p;
}

/* ---- what it is given ---- */

/* Names for the kernel's and kozo-sys's eyes end with a NUL; the manifest's do not. */
struct names {
    char service[KOZO_START_NAME];
    char cap[MANIFEST_WORDS + 2][KOZO_START_NAME];
    char arg[KOZO_START_ARG_BYTES];
    const char *argv[KOZO_START_ARGS];
    int argc;
};
static_assert(MANIFEST_NAME < KOZO_START_NAME);
static_assert(MANIFEST_ARGS + 1 == KOZO_START_ARGS);
static_assert(MANIFEST_ARG_BYTES == KOZO_START_ARG_BYTES);

static const char *c_string(char to[KOZO_START_NAME], struct kozo_str s)
{
    struct line l = line_begin(to, KOZO_START_NAME);

    line_add_str(&l, s);
    return to;
}

static bool fill_args(const struct service *s, struct names *n)
{
    uint64_t used = 0;

    n->argc = 0;
    for (uint32_t k = 0; k < s->m->args.count; k++) {
        struct kozo_str word = s->m->args.word[k];

        if (n->argc + 1 >= (int)KOZO_START_ARGS || used + word.len + 1 > sizeof n->arg)
            return false;
        memcpy(&n->arg[used], word.at, word.len);
        n->arg[used + word.len] = '\0';
        n->argv[n->argc++] = &n->arg[used];
        used += word.len + 1;
    }
    return true;
}

static struct service *provider_of(struct init *i, struct kozo_str name)
{
    const struct manifest_service *m = manifest_provider(&i->manifest, word_meaning(name).provides);

    return m != nullptr ? &i->service[m - i->manifest.service] : nullptr;
}

/* What of init's own Endpoint a word of a section stands for, as user rights; 0 = nothing. */
static uint8_t rights_at_init(struct kozo_str name)
{
    if (kozo_str_is(name, "log"))
        return LOG_WRITE;
    if (kozo_str_is(name, "kernel-log"))
        return KOZO_SYSTEM_LOG;
    if (kozo_str_is(name, "system"))
        return KOZO_SYSTEM_LOG | KOZO_SYSTEM_LOOK | KOZO_SYSTEM_CONTROL;
    if (kozo_str_is(name, "process"))
        return KOZO_SYSTEM_KILL;
    return 0;
}

enum kozo_err start_give(struct init *i, struct service *s, uint32_t k)
{
    struct kozo_str name = s->m->capabilities.word[k];
    struct service *provider = provider_of(i, name);
    kozo_cptr from = rights_at_init(name) != 0 ? i->port.c : 0;
    uint8_t user = rights_at_init(name);
    struct kozo_place to = kozo_own(s->given + k);
    struct kozo_verified there = kozo_cap_verify(to, kozo_own(0));

    if (there.err == KOZO_OK && KOZO_VERIFY_KIND(there.what) != KOZO_KIND_NULL)
        return KOZO_OK;
    if (kozo_str_is(name, "leases"))
        return kozo_cap_copy(to, kozo_own(i->lease_slots.c), KOZO_SAME_RIGHTS);
    if (kozo_str_is(name, "clock"))
        return kozo_cap_copy(to, kozo_own(KOZO_INIT_CLOCK), KOZO_RIGHTS(KOZO_READ | KOZO_MAP, 0));
    if (from == 0 && provider != nullptr) {
        from = provider->port.c;
        user = word_meaning(name).rights & s->m->user_rights[k];
    }
    if (from == 0)
        return provider != nullptr ? KOZO_ERR_GONE : KOZO_ERR_NOT_FOUND;
    /* GRANT: by the log a capability may come back, of what was restarted. */
    return kozo_cap_mint(to, kozo_own(from), KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT, user),
                         identity_badge((uint32_t)(s - i->service), s->life))
        .err;
}

/*
 * Where faults of its further threads go. `log` does not do: who has a copy of that could end the
 * service by a fault of his own.
 */
static enum kozo_err give_fault(struct init *i, struct service *s)
{
    return kozo_cap_mint(kozo_own(s->given + s->m->capabilities.count), kozo_own(i->port.c),
                         KOZO_RIGHTS(KOZO_WRITE, LOG_FAULT),
                         identity_badge((uint32_t)(s - i->service), s->life))
        .err;
}

/* What the k-th word of its section stands for; from.slot 0: nothing that is kept in a slot. */
static struct kozo_spawn_cap given(struct init *i, struct service *s, uint32_t k)
{
    if (start_give(i, s, k) == KOZO_OK)
        return (struct kozo_spawn_cap){ .from = kozo_own(s->given + k),
                                        .rights = KOZO_SAME_RIGHTS };
    return output_given(i, s->m->capabilities.word[k]);
}

/* One more that it is born with. */
static void add_cap(struct service *s, struct names *n, struct kozo_spawn_cap *caps,
                    struct kozo_str name, struct kozo_spawn_cap cap)
{
    s->named[s->nnamed] = name;
    cap.name = c_string(n->cap[s->nnamed], name);
    caps[s->nnamed++] = cap;
}

static uint32_t fill_caps(struct init *i, struct service *s, struct names *n,
                          struct kozo_spawn_cap caps[MANIFEST_WORDS + 2])
{
    kozo_cptr fault = s->given + s->m->capabilities.count;

    s->nnamed = 0;
    for (uint32_t k = 0; k < s->m->capabilities.count; k++) {
        struct kozo_spawn_cap cap = given(i, s, k);

        if (cap.from.slot != 0)
            add_cap(s, n, caps, s->m->capabilities.word[k], cap);
    }
    if (s->port.c != 0)
        add_cap(s, n, caps, kozo_str("serve"),
                (struct kozo_spawn_cap){ .from = kozo_own(s->port.c), .rights = KOZO_SAME_RIGHTS });
    if (s->m->threads > 1 && give_fault(i, s) == KOZO_OK)
        add_cap(s, n, caps, kozo_str("fault"),
                (struct kozo_spawn_cap){ .from = kozo_own(fault), .rights = KOZO_SAME_RIGHTS });
    return s->nnamed;
}

/* What init lends it: mapped into its space, by capabilities that it never holds. */
static uint32_t fill_maps(struct init *i, const struct service *s,
                          struct kozo_spawn_map maps[KOZO_START_MAPS])
{
    const struct manifest_words *names = &s->m->capabilities;
    const struct kozo_memory *lines;
    uint32_t n = 0;

    if (manifest_has(names, kozo_str("lines")) && (lines = output_memory(i)) != nullptr)
        maps[n++] =
            (struct kozo_spawn_map){ "lines",
                                     { .small = { (uint32_t)lines->first, lines->count } },
                                     lines->bytes,
                                     KOZO_READ | KOZO_WRITE };
    if (manifest_has(names, kozo_str("initrd")))
        maps[n++] = (struct kozo_spawn_map){ "initrd", i->frames, i->archive.bytes, KOZO_READ };
    if (manifest_has(names, kozo_str("manifest")))
        maps[n++] = (struct kozo_spawn_map){ "manifest",
                                             { .small = { (uint32_t)i->manifest_text.first,
                                                          i->manifest_text.count } },
                                             i->manifest_text.bytes,
                                             KOZO_READ };
    if (manifest_has(names, kozo_str("leases")))
        maps[n++] =
            (struct kozo_spawn_map){ "leases",
                                     { .small = { (uint32_t)i->leases.first, i->leases.count } },
                                     i->leases.bytes,
                                     KOZO_READ | KOZO_WRITE };
    return n;
}

/* ---- memory and threads ---- */

/* As much as the section says; init keeps what they came from, for all lives. */
static struct start_problem reserve(struct service *s)
{
    enum kozo_err err = KOZO_OK;
    struct carved c;

    if (s->memory.c == 0) {
        c = carve(s->m->memory_bits);
        if (c.err != KOZO_OK)
            return problem_no_memory(s, c.err);
        s->memory = c.untyped;
    }
    if (s->pool.c != 0)
        return (struct start_problem){};
    s->pool.c = kozo_slot_alloc();
    err = s->pool.c == 0 ? KOZO_ERR_LIMIT
                         : kozo_pool_split((struct kozo_pool){ KOZO_INIT_POOL },
                                           kozo_own(s->pool.c), s->m->threads);
    if (err == KOZO_OK)
        return (struct start_problem){};
    kozo_slot_free(s->pool.c);
    s->pool.c = 0;
    return problem_no_threads(s, err);
}

/* ---- starting ---- */

static struct start_problem spawn(struct init *i, struct service *s, struct kozo_bytes image)
{
    static struct names n;
    struct kozo_spawn_cap caps[MANIFEST_WORDS + 2];
    struct kozo_spawn_map maps[KOZO_START_MAPS];
    struct kozo_spawn_report report = {};
    struct kozo_spawn spawn = {
        .name = c_string(n.service, s->m->name),
        .image = image.at,
        .image_bytes = image.len,
        .argv = n.argv,
        .memory = s->memory,
        .pool = s->pool,
        .clock = { KOZO_INIT_CLOCK },
        .fault = i->port,
        .fault_badge = identity_badge((uint32_t)(s - i->service), s->life),
        .cnode_bits = PROGRAM_CNODE_BITS,
        .stack_pages = s->m->stack_pages,
        .heap_pages = s->m->heap_pages,
        .priority = s->m->priority,
        .give = s->m->untyped_bits != 0 ? 1u << KOZO_SLOT_CNODE | 1u << KOZO_SLOT_SPACE : 0,
        .give_threads = s->m->threads - 1,
        .give_bits = s->m->untyped_bits,
        .caps = caps,
        .ncaps = fill_caps(i, s, &n, caps),
        .maps = maps,
        .nmaps = fill_maps(i, s, maps),
    };

    if (!fill_args(s, &n))
        return problem_of(s, "args that fit a start page", KOZO_ERR_LIMIT);
    spawn.argc = n.argc;
    if (kozo_spawn(&spawn, &s->process, &report) != KOZO_OK)
        return problem_spawn(s, image, &report);
    return (struct start_problem){};
}

struct start_problem start_service(struct init *i, struct service *s)
{
    struct kozo_bytes image;
    struct start_problem p = verify(i, s, &image);
    enum kozo_err err;

    if (p.err == KOZO_OK)
        p = reserve(s);
    if (p.err != KOZO_OK)
        return p;
    err = make_port(s);
    if (err != KOZO_OK)
        return problem_of(s, "its endpoint", err);
    s->life++; /* also when it fails: no badge is ever used for two lives */
    p = spawn(i, s, image);
    if (p.err != KOZO_OK)
        return p;
    s->state = SERVICE_RUNNING;
    s->ready = false;
    s->crashed_by[0] = '\0';
    supervise_started(&s->care, kozo_now());
    output_started(s);
    return p;
}

/* ---- ending ---- */

/* Nobody is left to end the leases in time. */
static void end_leases(struct init *i)
{
    for (kozo_cptr slot = 1; slot < 1u << LEASE_CNODE_BITS; slot++) {
        (void)kozo_cap_revoke(kozo_in(i->lease_slots, slot));
        (void)kozo_cap_delete(kozo_in(i->lease_slots, slot));
    }
}

/* Its threads stop; then what others have of what it holds goes, and it itself. */
static void end_process(struct service *s, bool keep_given)
{
    (void)kozo_cap_revoke(kozo_own(s->pool.c));
    if (!keep_given)
        sweep_cnodes(s->process.cnode);
    kozo_process_destroy(&s->process);
}

/* What it was born with, and, unless it is kept, what came of that though its own is gone. */
static void take_given(struct service *s, bool keep_given)
{
    for (uint32_t k = 0; k <= s->m->capabilities.count; k++) {
        if (!keep_given)
            (void)kozo_cap_revoke(kozo_own(s->given + k));
        (void)kozo_cap_delete(kozo_own(s->given + k));
    }
}

void end_service(struct init *i, struct service *s, bool again)
{
    bool keep_given = again && holds_leases(s);

    if (s->state == SERVICE_RUNNING)
        end_process(s, keep_given);
    take_given(s, keep_given);
    kozo_slot_drop(s->waiter);
    s->waiter = 0;
    s->state = again ? SERVICE_WAITS : SERVICE_ENDED;
    s->ready = s->ready && !again;
    output_ended(s);
    if (!again && holds_leases(s))
        end_leases(i);
    end_port(s);
    if (again)
        (void)make_port(s); /* if not now, then before it starts */
}
