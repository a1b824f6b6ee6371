/* SPDX-License-Identifier: MIT */
#include "shell/program.h"
#include "common/fault.h"
#include "common/line.h"

#include <kozo/cpio.h>
#include <kozo/error.h>
#include <kozo/memory.h>
#include <kozo/policy.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/window.h>

constexpr unsigned program_bits = 18; /* memory of a program */
constexpr unsigned pipe_bits = 15;    /* of a pipe: its pages and two Notifications */
constexpr uint32_t pipe_pages = KOZO_PIPE_BYTES / KOZO_PAGE_SIZE;
constexpr uint32_t stack_pages = 8, heap_pages = 8, priority = 100;

struct pipe {
    struct kozo_untyped memory;
    kozo_cptr pages; /* the first of pipe_pages ... */
    /* ... which is mapped here: to say in it who died; all are where the shell writes */
    uint64_t at;
    bool mapped;
    const struct program *from, *to; /* null once they ended; both null: not in use */
};

/* What the next program is born with. The texts have to stay until it is started. */
struct birth {
    const struct program *of;
    uint32_t caps, maps;
    struct kozo_spawn_cap cap[PROGRAM_HOLDS + 2 * 2];
    char name[PROGRAM_HOLDS + 2 * 2][KOZO_START_NAME];
    struct kozo_spawn_map map[2];
};

static struct kozo_endpoint port; /* where programs end */
static struct program programs[PROGRAMS];
static struct birth births[PROGRAMS];
static struct program shell_itself; /* at the end of a pipe, in a program's place */
static struct pipe pipes[PROGRAM_PIPES];
static uint64_t serial;

/* ---- what is there from the beginning ---- */

static enum kozo_err carve(struct kozo_untyped *to, unsigned bits)
{
    to->c = kozo_slot_alloc();
    if (to->c == 0)
        return KOZO_ERR_LIMIT;
    return kozo_retype(kozo_own_untyped(), KOZO_KIND_UNTYPED, bits, kozo_own(to->c), 1);
}

static enum kozo_err reserve(struct program *p)
{
    enum kozo_err err = carve(&p->memory, program_bits);

    if (err != KOZO_OK)
        return err;
    p->pool.c = kozo_slot_alloc();
    if (p->pool.c == 0)
        return KOZO_ERR_LIMIT;
    return kozo_pool_split(kozo_own_pool(), kozo_own(p->pool.c), 1);
}

/* The largest pieces first: they are aligned to their size. */
enum kozo_err program_begin(void)
{
    enum kozo_err err = KOZO_OK;

    for (uint32_t i = 0; i < PROGRAMS && err == KOZO_OK; i++)
        err = reserve(&programs[i]);
    for (uint32_t i = 0; i < PROGRAM_PIPES && err == KOZO_OK; i++)
        err = carve(&pipes[i].memory, pipe_bits);
    if (err != KOZO_OK)
        return err;
    port.c = kozo_slot_alloc();
    if (port.c == 0)
        return KOZO_ERR_LIMIT;
    return kozo_retype(kozo_own_untyped(), KOZO_KIND_ENDPOINT, 0, kozo_own(port.c), 1);
}

struct kozo_stack program_stack(const struct program *p)
{
    return kozo_stack_look(&(struct kozo_stack_keep){ .cnode = p->process.keep },
                           p->process.stack_slot, stack_pages);
}

kozo_cptr program_port(void) { return port.c; }

const char *program_cap_name(const struct program *p, uint64_t slot)
{
    const struct birth *b = &births[p - programs];
    uint64_t i = slot - p->process.first_named;

    return slot >= p->process.first_named && i < b->caps ? b->name[i] : "";
}

struct program *program_at(uint32_t i) { return i < PROGRAMS ? &programs[i] : nullptr; }

/* ---- what it is given ---- */

static struct birth *birth_of(const struct program *p) { return &births[p - programs]; }

struct program *program_new(void)
{
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        if (programs[i].runs || births[i].of != nullptr || programs[i].memory.c == 0)
            continue;
        births[i].of = &programs[i];
        births[i].caps = births[i].maps = 0;
        return &programs[i];
    }
    return nullptr;
}

static enum kozo_err add_cap(struct program *p, const char *name, const char *suffix,
                             kozo_cptr from, uint64_t rights)
{
    struct birth *b = birth_of(p);
    uint32_t i = b->caps;

    if (i == sizeof b->cap / sizeof b->cap[0] || strlen(name) + strlen(suffix) >= KOZO_START_NAME)
        return KOZO_ERR_LIMIT;
    kozo_snprintf(b->name[i], sizeof b->name[i], "%s%s", name, suffix);
    b->cap[i] =
        (struct kozo_spawn_cap){ .name = b->name[i], .from = kozo_own(from), .rights = rights };
    b->caps++;
    return KOZO_OK;
}

static enum kozo_err hold(struct program *p, kozo_cptr slot, bool file)
{
    if (p->holds == PROGRAM_HOLDS)
        return KOZO_ERR_LIMIT;
    p->held[p->holds++] = (struct held){ slot, file };
    return KOZO_OK;
}

enum kozo_err program_give(struct program *p, const char *name, kozo_cptr slot, uint64_t rights)
{
    kozo_cptr copy = kozo_slot_alloc();
    enum kozo_err err;

    if (copy == 0)
        return KOZO_ERR_LIMIT;
    err = kozo_cap_copy(kozo_own(copy), kozo_own(slot), rights);
    if (err == KOZO_OK)
        err = hold(p, copy, false);
    if (err != KOZO_OK) {
        kozo_slot_drop(copy);
        return err;
    }
    return add_cap(p, name, "", copy, KOZO_SAME_RIGHTS);
}

static enum kozo_err lend(struct program *p, struct kozo_str name, kozo_cptr slot)
{
    struct policy_lend_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    if (slot == 0)
        return KOZO_ERR_LIMIT;
    name.len = name.len < KOZO_START_NAME ? name.len : KOZO_START_NAME - 1;
    kozo_msg_init(&m);
    kozo_msg_window(&m, slot, 1);
    err =
        policy_call_lend(kozo_cap_endpoint("policy"), &m, &(struct policy_lend_req){ name }, &rep);
    p->lend = rep.number;
    return err == KOZO_OK && rep.cap.slot == 0 ? KOZO_ERR_GONE : err;
}

/* Policy takes back what it lent, and what was granted by that. */
static void unlend(struct program *p)
{
    struct policy_unlend_rep rep;
    struct kozo_msg m;

    (void)kozo_reconnect("policy"); /* in another life it has the leases of this one */
    kozo_msg_init(&m);
    if (p->lend != 0)
        (void)policy_call_unlend(kozo_cap_endpoint("policy"), &m,
                                 &(struct policy_unlend_req){ p->lend }, &rep);
    p->lend = 0;
    p->asks = false;
}

enum kozo_err program_give_policy(struct program *p, struct kozo_str name)
{
    kozo_cptr slot = kozo_slot_alloc();
    enum kozo_err err = KOZO_OK;

    for (uint32_t i = 0; i < PROGRAMS; i++)
        if (programs[i].asks && &programs[i] != p)
            err = KOZO_ERR_IN_USE;
    if (err == KOZO_OK) {
        p->asks = true;
        err = lend(p, name, slot);
    }
    if (err == KOZO_OK)
        err = hold(p, slot, false);
    if (err != KOZO_OK) {
        kozo_slot_drop(slot);
        return err;
    }
    return add_cap(p, "policy", "", slot, KOZO_SAME_RIGHTS);
}

enum kozo_err program_give_file(struct program *p, const char *name, struct kozo_endpoint file)
{
    enum kozo_err err = hold(p, file.c, true);

    if (err != KOZO_OK) {
        (void)kozo_file_close(file);
        return err;
    }
    return add_cap(p, name, "", file.c, KOZO_SAME_RIGHTS);
}

/* ---- pipes ---- */

static void add_pipe_map(struct program *p, const char *name, const struct pipe *pipe)
{
    struct birth *b = birth_of(p);

    b->map[b->maps++] =
        (struct kozo_spawn_map){ .name = name,
                                 .frames = { .small = { (uint32_t)pipe->pages, pipe_pages } },
                                 .rights = KOZO_READ | KOZO_WRITE };
}

static enum kozo_err add_pipe_end(struct program *p, const char *name, const struct pipe *pipe,
                                  kozo_cptr wake, kozo_cptr wait)
{
    enum kozo_err err = add_cap(p, name, ".wake", wake, KOZO_RIGHTS(KOZO_WRITE, 0));

    if (err == KOZO_OK)
        err = add_cap(p, name, ".wait", wait, KOZO_RIGHTS(KOZO_READ, 0));
    if (err == KOZO_OK)
        add_pipe_map(p, name, pipe);
    return err;
}

static struct pipe *free_pipe(void)
{
    for (uint32_t i = 0; i < PROGRAM_PIPES; i++)
        if (pipes[i].from == nullptr && pipes[i].to == nullptr)
            return &pipes[i];
    return nullptr;
}

/* One of the two ends. When neither is left nothing of the pipe is. */
static void leave_pipe(struct pipe *pipe, const struct program *p)
{
    if (pipe->from != p && pipe->to != p)
        return;
    pipe->from = pipe->from == p ? nullptr : pipe->from;
    pipe->to = pipe->to == p ? nullptr : pipe->to;
    if (pipe->from != nullptr || pipe->to != nullptr)
        return;
    (void)kozo_cap_revoke(kozo_own(pipe->memory.c));
    pipe->mapped = false;
    kozo_slots_free(pipe->pages, pipe_pages);
    pipe->pages = 0;
}

static enum kozo_err map_pages(struct pipe *pipe, uint32_t count)
{
    enum kozo_err err = KOZO_OK;

    if (pipe->at == 0)
        pipe->at = kozo_window_alloc(KOZO_WINDOW_SMALL, KOZO_PIPE_BYTES);
    if (pipe->at == 0)
        return KOZO_ERR_LIMIT;
    for (uint32_t i = 0; i < count && err == KOZO_OK; i++)
        err = kozo_memory_map((struct kozo_frame){ pipe->pages + i }, pipe->at + i * KOZO_PAGE_SIZE,
                              KOZO_READ | KOZO_WRITE);
    pipe->mapped = err == KOZO_OK;
    return err;
}

/*
 * Each side waits on a Notification that goes with the other one's end: bell[1] of the writer goes
 * with the writer, bell[0] of the reader with the reader.
 */
static enum kozo_err make_pipe(struct pipe *pipe, struct program *from, struct program *to)
{
    enum kozo_err err;

    pipe->from = from;
    pipe->to = to;
    pipe->pages = kozo_slots_alloc(pipe_pages);
    from->bell[1] = kozo_slot_alloc();
    to->bell[0] = kozo_slot_alloc();
    if (pipe->pages == 0 || from->bell[1] == 0 || to->bell[0] == 0)
        return KOZO_ERR_LIMIT;
    err = kozo_retype(pipe->memory, KOZO_KIND_FRAME, KOZO_PAGE_BITS, kozo_own(pipe->pages),
                      pipe_pages);
    if (err == KOZO_OK)
        err = map_pages(pipe, from == &shell_itself ? pipe_pages : 1);
    if (err == KOZO_OK)
        err = kozo_retype(pipe->memory, KOZO_KIND_NOTIFICATION, 0, kozo_own(from->bell[1]), 1);
    if (err == KOZO_OK)
        err = kozo_retype(pipe->memory, KOZO_KIND_NOTIFICATION, 0, kozo_own(to->bell[0]), 1);
    return err;
}

enum kozo_err program_pipe(struct program *from, struct program *to)
{
    struct pipe *pipe = free_pipe();
    enum kozo_err err = pipe != nullptr ? make_pipe(pipe, from, to) : KOZO_ERR_LIMIT;

    if (err == KOZO_OK)
        err = add_pipe_end(from, "stdout", pipe, from->bell[1], to->bell[0]);
    if (err == KOZO_OK)
        err = add_pipe_end(to, "stdin", pipe, to->bell[0], from->bell[1]);
    return err;
}

enum kozo_err program_pipe_begin(struct kozo_stream *s, struct program *to)
{
    struct program *from = &shell_itself;
    struct pipe *pipe = free_pipe();
    enum kozo_err err = pipe != nullptr ? make_pipe(pipe, from, to) : KOZO_ERR_LIMIT;

    if (err == KOZO_OK)
        err = kozo_stream_of_pipe(s, (void *)(uintptr_t)pipe->at,
                                  (struct kozo_notification){ from->bell[1] },
                                  (struct kozo_notification){ to->bell[0] }, KOZO_STREAM_WRITES);
    if (err == KOZO_OK)
        err = add_pipe_end(to, "stdin", pipe, to->bell[0], from->bell[1]);
    return err;
}

/* ---- the image ---- */

/* `cat` -> `bin/cat`; `/bin/cat` -> `bin/cat`. */
static bool find_image(struct kozo_str name, struct kozo_cpio_entry *e)
{
    struct kozo_mapping m = kozo_mapping("initrd");
    struct kozo_cpio archive = { .base = m.at, .bytes = m.bytes };
    struct kozo_bad bad;
    char path[256];

    if (m.at == nullptr || name.len == 0 || name.len > 200)
        return false;
    if (name.at[0] == '/')
        kozo_snprintf(path, sizeof path, "%.*s", (int)name.len - 1, name.at + 1);
    else
        kozo_snprintf(path, sizeof path, "bin/%.*s", (int)name.len, name.at);
    return kozo_cpio_find(&archive, path, e, &bad) == KOZO_OK &&
           KOZO_CPIO_TYPE(e->mode) == KOZO_CPIO_FILE;
}

bool program_exists(struct kozo_str name)
{
    struct kozo_cpio_entry e;

    return find_image(name, &e);
}

/* ---- the end ---- */

/* The other ends of its pipes are told, whether they wait or not. */
static void bury(const struct program *p, enum kozo_ring_end how)
{
    for (uint32_t i = 0; i < PROGRAM_PIPES; i++) {
        void *ring = (void *)(uintptr_t)pipes[i].at;

        if (!pipes[i].mapped) /* it could not be made: nobody waits at it */
            continue;
        if (pipes[i].from == p)
            kozo_ring_bury(ring, KOZO_RING_PRODUCER, how);
        if (pipes[i].to == p)
            kozo_ring_bury(ring, KOZO_RING_CONSUMER, how);
    }
}

/* Its neighbours wake first: they wait on what goes now. */
static void take_back(struct program *p)
{
    for (unsigned i = 0; i < 2; i++) {
        if (p->bell[i] != 0)
            (void)kozo_cap_revoke(kozo_own(p->bell[i]));
        kozo_slot_drop(p->bell[i]);
        p->bell[i] = 0;
    }
    for (uint32_t i = 0; i < p->holds; i++) {
        (void)kozo_cap_revoke(kozo_own(p->held[i].slot));
        if (p->held[i].file)
            (void)kozo_file_close((struct kozo_endpoint){ p->held[i].slot });
        else
            kozo_slot_drop(p->held[i].slot);
    }
    p->holds = 0;
    if (p->asks)
        unlend(p);
    for (uint32_t i = 0; i < PROGRAM_PIPES; i++)
        leave_pipe(&pipes[i], p);
}

void program_pipe_end(void)
{
    bury(&shell_itself, KOZO_RING_CLOSED);
    take_back(&shell_itself);
}

void program_forget(struct program *p)
{
    take_back(p);
    birth_of(p)->of = nullptr;
}

static void end(struct program *p, uint32_t status)
{
    kozo_process_destroy(&p->process);
    bury(p, status > STATUS_MOST ? KOZO_RING_DIED : KOZO_RING_CLOSED);
    take_back(p);
    p->runs = false;
    p->status = status;
}

void program_kill(struct program *p)
{
    if (p->runs)
        end(p, STATUS_KILLED);
}

/* Programs have one thread: none can take back what is looked at here. */
static void look(const struct program *p, const struct kozo_msg *m, struct program_fault *fault)
{
    struct place_map map = report_map(kozo_str(p->name), &p->process, p->image);
    struct report_stack stack = report_first_stack(&p->process);
    struct line how = line_begin(fault->how, sizeof fault->how);

    fault_describe(&how, m->word, &map);
    fault->report = report_begin(m, p->image);
    if (m->word[7] == p->process.serial)
        report_walk(&fault->report, &stack);
}

struct program *program_wait(uint64_t deadline, struct program_fault *fault)
{
    struct program *p = nullptr;
    struct kozo_msg m;

    fault->how[0] = '\0';
    kozo_msg_init(&m);
    if (deadline != UINT64_MAX)
        kozo_msg_deadline(&m, deadline);
    if (kozo_recv(port, &m) != KOZO_OK || (m.what & KOZO_MSG_FAULT) == 0)
        return nullptr;
    for (uint32_t i = 0; i < PROGRAMS; i++)
        if (programs[i].runs && programs[i].badge == m.badge)
            p = &programs[i];
    if (p == nullptr)
        return nullptr;
    if (m.word[0] != KOZO_FAULT_EXIT) {
        look(p, &m, fault);
        end(p, STATUS_FAULT);
    } else {
        end(p, m.word[1] < STATUS_MOST ? (uint32_t)m.word[1] : STATUS_MOST);
    }
    return p;
}

/* ---- the start ---- */

struct arguments {
    char bytes[KOZO_START_ARG_BYTES];
    const char *argv[PARSE_WORDS];
    int argc;
};

static bool fill_arguments(struct arguments *a, const struct kozo_str *words, uint32_t count)
{
    uint64_t used = 0;

    a->argc = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (used + words[i].len + 1 > sizeof a->bytes)
            return false;
        kozo_str_copy(a->bytes + used, sizeof a->bytes - used, words[i]);
        a->argv[a->argc++] = a->bytes + used;
        used += words[i].len + 1;
    }
    return true;
}

static const char *why_not(const struct kozo_spawn_report *r)
{
    static char text[KOZO_BAD_TEXT + 128];
    char bad[KOZO_BAD_TEXT];

    if (r->err == KOZO_ERR_FORMAT || r->err == KOZO_ERR_VERSION)
        kozo_snprintf(text, sizeof text, "not a program: %s, expected %s",
                      kozo_bad_text(&r->bad, bad),
                      r->bad.want != nullptr ? r->bad.want : "another");
    else
        kozo_snprintf(text, sizeof text, "cannot start: %s: %s", r->step, kozo_err_text(r->err));
    return text;
}

static enum kozo_err spawn(struct program *p, const struct kozo_cpio_entry *e,
                           const struct arguments *a, struct kozo_spawn_report *report)
{
    struct birth *b = birth_of(p);

    return kozo_spawn(
        &(struct kozo_spawn){
            .name = p->name,
            .image = e->data,
            .image_bytes = e->size,
            .argc = a->argc,
            .argv = a->argv,
            .memory = p->memory,
            .pool = p->pool,
            .clock = { kozo_cap("clock") },
            .fault = port,
            .fault_badge = p->badge,
            .cnode_bits = PROGRAM_SLOT_BITS,
            .stack_pages = stack_pages,
            .heap_pages = heap_pages,
            .priority = priority,
            .caps = b->cap,
            .ncaps = b->caps,
            .maps = b->map,
            .nmaps = b->maps,
        },
        &p->process, report);
}

bool program_start(struct program *p, struct kozo_str name, const struct kozo_str *words,
                   uint32_t count, uint32_t job, const char **why)
{
    static struct arguments a;
    struct kozo_spawn_report report = {};
    struct kozo_cpio_entry e = {};

    kozo_str_copy(p->name, sizeof p->name, name);
    p->badge = ++serial << 8 | (uint64_t)(p - programs + 1);
    *why = nullptr;
    if (!find_image(name, &e))
        *why = "no such program; `ls /bin` lists them";
    else if (!fill_arguments(&a, words, count))
        *why = "more than 1023 bytes of arguments";
    else if (spawn(p, &e, &a, &report) != KOZO_OK)
        *why = why_not(&report);
    if (*why != nullptr)
        return false;
    p->image = (struct kozo_bytes){ e.data, e.size };
    p->runs = true;
    p->job = job;
    birth_of(p)->of = nullptr;
    return true;
}
