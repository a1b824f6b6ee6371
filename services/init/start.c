/* SPDX-License-Identifier: MIT */
#include "init/start.h"
#include "common/identity.h"
#include "common/line.h"
#include "common/words.h"
#include "init/archive.h"
#include "init/carve.h"
#include "init/output.h"
#include "policy/lease.h"

#include <kozo/error.h>
#include <kozo/sha256.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/system.h>

/* A step's name: "start fsd". */
struct step_name {
    char text[48];
};

static struct step_name step_name(const struct service *s)
{
    struct step_name step;
    struct line l = line_begin(step.text, sizeof step.text);

    line_add(&l, "start ");
    line_add_str(&l, s->m->name);
    return step;
}

static bool fail(struct init *i, const struct service *s, const char *expected, enum kozo_err err)
{
    init_fail(i, step_name(s).text, expected, "%s", kozo_err_text(err));
    return false;
}

/* ---- what has to be there before the first service ---- */

static enum kozo_err make_port(struct init *i, struct kozo_endpoint *port)
{
    port->c = kozo_slot_alloc();
    if (port->c == 0)
        return KOZO_ERR_LIMIT;
    return kozo_retype(i->own, KOZO_KIND_ENDPOINT, 0, kozo_own(port->c), 1);
}

static enum kozo_err make_leases(struct init *i)
{
    i->leases = kozo_memory_alloc(i->own, sizeof(struct lease_table));
    i->lease_slots.c = kozo_slot_alloc();
    if (i->leases.err != KOZO_OK || i->lease_slots.c == 0)
        return i->lease_slots.c == 0 ? KOZO_ERR_LIMIT : i->leases.err;
    return kozo_retype(i->own, KOZO_KIND_CNODE, LEASE_CNODE_BITS, kozo_own(i->lease_slots.c), 1);
}

bool start_begin(struct init *i)
{
    for (uint32_t k = 0; k < i->manifest.services; k++) {
        struct service *s = &i->service[k];
        enum kozo_err err = KOZO_OK;

        *s = (struct service){ .m = &i->manifest.service[k] };
        if (s->m->provides.len > 0)
            err = make_port(i, &s->port);
        if (err == KOZO_OK && i->lease_slots.c == 0 &&
            manifest_has(&s->m->capabilities, kozo_str("leases")))
            err = make_leases(i);
        if (err != KOZO_OK)
            return fail(i, s, "room for what it works with", err);
    }
    return true;
}

/* ---- the binary ---- */

static bool verify(struct init *i, const struct service *s, struct kozo_bytes *image)
{
    char want[128], got[KOZO_SHA256_HEX];
    struct line l = line_begin(want, sizeof want);
    uint8_t digest[KOZO_SHA256_BYTES];

    *image = archive_file(i, s->m->binary);
    line_add_str(&l, s->m->binary);
    if (image->at == nullptr) {
        line_add(&l, " in the archive");
        init_fail(i, step_name(s).text, want, "no such file");
        return false;
    }
    kozo_sha256(image->at, image->len, digest);
    if (memcmp(digest, s->m->sha256, sizeof digest) == 0)
        return true;
    line_add(&l, " with sha256 ");
    line_add_bytes(&l, s->m->sha256, sizeof digest);
    kozo_sha256_to_hex(digest, got);
    init_fail(i, step_name(s).text, want, "sha256 %s", got);
    return false;
}

/* ---- what it is given ---- */

/* Names for the kernel's and kozo-sys's eyes end with a NUL; the manifest's do not. */
struct names {
    char service[KOZO_START_NAME];
    char cap[MANIFEST_WORDS + 1][KOZO_START_NAME];
    char arg[KOZO_START_ARG_BYTES];
    const char *argv[KOZO_START_ARGS];
    int argc;
};
static_assert(MANIFEST_NAME < KOZO_START_NAME);

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
    return 0;
}

/* What the word `name` of a section stands for; from.slot 0: nothing that is kept in a slot. */
static struct kozo_spawn_cap given(struct init *i, struct kozo_str name, uint64_t badge)
{
    struct service *provider = provider_of(i, name);

    if (rights_at_init(name) != 0)
        return (struct kozo_spawn_cap){ .from = kozo_own(i->port.c),
                                        .rights = KOZO_RIGHTS(KOZO_WRITE, rights_at_init(name)),
                                        .badge = badge };
    if (kozo_str_is(name, "leases"))
        return (struct kozo_spawn_cap){ .from = kozo_own(i->lease_slots.c),
                                        .rights = KOZO_SAME_RIGHTS };
    if (provider != nullptr)
        return (struct kozo_spawn_cap){ .from = kozo_own(provider->port.c),
                                        .rights =
                                            KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT,
                                                        word_meaning(name).rights),
                                        .badge = badge };
    return output_given(i, name);
}

static uint32_t fill_caps(struct init *i, const struct service *s, uint64_t badge, struct names *n,
                          struct kozo_spawn_cap caps[MANIFEST_WORDS + 1])
{
    uint32_t count = 0;

    for (uint32_t k = 0; k < s->m->capabilities.count; k++) {
        struct kozo_spawn_cap cap = given(i, s->m->capabilities.word[k], badge);

        if (cap.from.slot == 0)
            continue;
        cap.name = c_string(n->cap[count], s->m->capabilities.word[k]);
        caps[count++] = cap;
    }
    if (s->port.c != 0)
        caps[count++] = (struct kozo_spawn_cap){ .name = "serve",
                                                 .from = kozo_own(s->port.c),
                                                 .rights = KOZO_SAME_RIGHTS };
    return count;
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

/* Memory and threads, as much as the section says; init keeps what they came from. */
static enum kozo_err reserve(struct service *s)
{
    struct carved c;

    if (s->memory.c != 0)
        return KOZO_OK;
    c = carve(s->m->memory_bits);
    if (c.err != KOZO_OK)
        return c.err;
    s->memory = c.untyped;
    s->pool.c = kozo_slot_alloc();
    if (s->pool.c == 0)
        return KOZO_ERR_LIMIT;
    return kozo_pool_split((struct kozo_pool){ KOZO_INIT_POOL }, kozo_own(s->pool.c),
                           s->m->threads);
}

/* ---- starting ---- */

static bool fail_to_spawn(struct init *i, const struct service *s,
                          const struct kozo_spawn_report *r)
{
    if (r->bad.field != nullptr && (r->err == KOZO_ERR_FORMAT || r->err == KOZO_ERR_VERSION))
        init_fail(i, step_name(s).text, r->bad.want != nullptr ? r->bad.want : "a program",
                  "%.*s: %s = %#llx", (int)s->m->binary.len, s->m->binary.at, r->bad.field,
                  (unsigned long long)r->bad.value);
    else
        init_fail(i, step_name(s).text, r->step, "%s", kozo_err_text(r->err));
    return false;
}

static bool spawn(struct init *i, struct service *s, struct kozo_bytes image)
{
    static struct names n;
    struct kozo_spawn_cap caps[MANIFEST_WORDS + 1];
    struct kozo_spawn_map maps[KOZO_START_MAPS];
    struct kozo_spawn_report report = {};
    uint64_t badge = identity_badge((uint32_t)(s - i->service), s->life + 1);
    struct kozo_spawn spawn = {
        .name = c_string(n.service, s->m->name),
        .image = image.at,
        .image_bytes = image.len,
        .argv = n.argv,
        .memory = s->memory,
        .pool = s->pool,
        .clock = { KOZO_INIT_CLOCK },
        .fault = i->port,
        .fault_badge = badge,
        .cnode_bits = PROGRAM_CNODE_BITS,
        .stack_pages = s->m->stack_pages,
        .heap_pages = s->m->heap_pages,
        .priority = s->m->priority,
        .give = s->m->untyped_bits != 0 ? 1u << KOZO_SLOT_CNODE | 1u << KOZO_SLOT_SPACE : 0,
        .give_threads = s->m->threads - 1,
        .give_bits = s->m->untyped_bits,
        .caps = caps,
        .ncaps = fill_caps(i, s, badge, &n, caps),
        .maps = maps,
        .nmaps = fill_maps(i, s, maps),
    };

    if (!fill_args(s, &n))
        return fail(i, s, "args that fit a start page", KOZO_ERR_LIMIT);
    spawn.argc = n.argc;
    if (kozo_spawn(&spawn, &s->process, &report) != KOZO_OK)
        return fail_to_spawn(i, s, &report);
    s->life++;
    return true;
}

bool start_service(struct init *i, struct service *s)
{
    struct kozo_bytes image;
    enum kozo_err err;

    if (!verify(i, s, &image))
        return false;
    err = reserve(s);
    if (err != KOZO_OK)
        return fail(i, s, "the memory and threads of its section", err);
    if (!spawn(i, s, image))
        return false;
    s->state = SERVICE_RUNNING;
    s->ready = false;
    output_started(s);
    return true;
}

/* Nobody is left to end the leases in time. */
static void end_leases(struct init *i)
{
    for (kozo_cptr slot = 1; slot < 1u << LEASE_CNODE_BITS; slot++) {
        (void)kozo_cap_revoke(kozo_in(i->lease_slots, slot));
        (void)kozo_cap_delete(kozo_in(i->lease_slots, slot));
    }
}

/*
 * Its memory and threads are revoked, so all it held is gone. What it gave came from its port: that
 * goes with all that was derived from it.
 */
void end_service(struct init *i, struct service *s)
{
    if (s->state == SERVICE_RUNNING)
        kozo_process_destroy(&s->process);
    s->state = SERVICE_ENDED;
    output_ended(s);
    if (manifest_has(&s->m->capabilities, kozo_str("leases")))
        end_leases(i);
    if (s->port.c == 0)
        return;
    (void)kozo_cap_revoke(kozo_own(s->port.c));
    kozo_slot_drop(s->port.c);
    s->port.c = 0;
}
