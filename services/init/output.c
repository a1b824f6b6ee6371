/* SPDX-License-Identifier: MIT */
#include "init/output.h"
#include "common/wire.h"

#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/time.h>

constexpr unsigned com1_first = 0x3f8, com1_last = 0x3ff, com1_line = 4;
constexpr uint64_t patience = KOZO_S;

static struct {
    struct kozo_memory memory;
    struct kozo_notification bell;
    struct kozo_ring ring;
    const struct service *to; /* serves; null = nobody does */
    uint64_t lost;            /* bytes, since the last entry */
    uint64_t taken;           /* where the kernel's log was then ... */
    uint64_t told;            /* ... and how far the console has been told of it */
    bool held;                /* a driver has the serial port, and what the kernel says is not seen */
    kozo_cptr ports;          /* parent of the port: revoking it takes the port back */
    kozo_cptr port, line;
} out;

/* ---- what the console is given ---- */

static bool make_bell(struct init *i)
{
    if (out.bell.c != 0)
        return true;
    out.bell.c = kozo_slot_alloc();
    if (out.bell.c != 0 && kozo_retype(i->own, KOZO_KIND_NOTIFICATION, 0, kozo_own(out.bell.c),
                                       1) == KOZO_OK)
        return true;
    kozo_slot_free(out.bell.c);
    out.bell.c = 0;
    return false;
}

/* The end of the kernel's log. */
static uint64_t log_end(void)
{
    uint64_t at = 0;
    struct kozo_raw r;

    do {
        r = kozo_syscall(KOZO_SYS_DEBUG_LOG, KOZO_INIT_DEBUG, at);
        at = r.err == KOZO_OK ? r.a : at;
    } while (r.err == KOZO_OK && r.b > 0);
    return at;
}

static enum kozo_err make_port(void)
{
    enum kozo_err err = KOZO_OK;

    if (out.ports == 0) {
        out.ports = kozo_slot_alloc();
        err = kozo_ioport_mint((struct kozo_io_port){ KOZO_INIT_IOPORT }, com1_first,
                               com1_last + 1, kozo_own(out.ports));
    }
    out.taken = out.told = log_end();
    if (err == KOZO_OK)
        err = kozo_ioport_mint((struct kozo_io_port){ out.ports }, com1_first, com1_last,
                               kozo_own(out.port));
    out.held = err == KOZO_OK;
    return err;
}

static enum kozo_err make_line(void)
{
    enum kozo_err err = kozo_irq_claim((struct kozo_irq_control){ KOZO_INIT_IRQ }, com1_line,
                                       kozo_own(out.line));

    return err != KOZO_OK ? err : kozo_irq_bind((struct kozo_irq){ out.line }, out.bell, BELL_SERIAL);
}

struct kozo_spawn_cap output_given(struct init *i, struct kozo_str name)
{
    bool port = kozo_str_is(name, "com1");
    kozo_cptr *slot = port ? &out.port : &out.line;

    if (!port && !kozo_str_is(name, "com1-line"))
        return (struct kozo_spawn_cap){};
    if (*slot == 0)
        *slot = kozo_slot_alloc();
    (void)kozo_cap_delete(kozo_own(*slot));
    if (*slot == 0 || !make_bell(i) || (port ? make_port() : make_line()) != KOZO_OK)
        return (struct kozo_spawn_cap){};
    return (struct kozo_spawn_cap){ .from = kozo_own(*slot),
                                    .rights = KOZO_SAME_RIGHTS,
                                    .move = true };
}

const struct kozo_memory *output_memory(struct init *i)
{
    if (out.memory.at == nullptr)
        out.memory =
            kozo_memory_alloc(i->own, kozo_ring_bytes(WIRE_ENTRIES, sizeof(struct wire_entry)));
    if (out.memory.err != KOZO_OK)
        return nullptr;
    memset(out.memory.at, 0, out.memory.bytes);
    if (kozo_ring_join(&out.ring, KOZO_RING_PRODUCER, out.memory.at, out.memory.bytes, WIRE_ENTRIES,
                       sizeof(struct wire_entry), (struct kozo_notification){},
                       (struct kozo_notification){}) != KOZO_OK)
        return nullptr;
    return &out.memory;
}

uint64_t output_taken(void)
{
    return out.taken;
}

/* ---- lines ---- */

static void put_piece(const char *text, size_t len)
{
    struct wire_entry *e = kozo_ring_room(&out.ring);

    if (e == nullptr) {
        out.lost += len;
        return;
    }
    e->lost = out.lost;
    e->len = (uint32_t)len;
    memcpy(e->text, text, len);
    out.lost = 0;
    kozo_ring_put(&out.ring);
}

static void put_lines(const char *text, size_t len)
{
    while (len > 0) {
        size_t n = len < WIRE_TEXT ? len : WIRE_TEXT;

        put_piece(text, n);
        text += n;
        len -= n;
    }
    (void)kozo_signal(out.bell, BELL_LINES);
}

static bool lends(const struct service *s)
{
    return out.memory.at != nullptr && manifest_has(&s->m->capabilities, kozo_str("lines"));
}

void output_told(const struct service *s, uint64_t next)
{
    if (lends(s))
        out.told = next;
}

void output_started(const struct service *s)
{
    if (lends(s) && out.bell.c != 0)
        (void)kozo_thread_bind_ntfn(s->process.thread, out.bell);
}

void output_ready(const struct service *s)
{
    if (!lends(s) || out.to != nullptr || out.bell.c == 0)
        return;
    out.to = s;
    kozo_print_to(put_lines);
}

/* What the console has shown of what was put. */
static uint64_t shown(void)
{
    return __atomic_load_n(&out.ring.theirs->count, __ATOMIC_ACQUIRE);
}

/* What the kernel logged, and init by way of it, and nobody has shown. */
static void repeat_log(void)
{
    uint64_t end = log_end();
    char text[KOZO_MSG_EXTRA * 8];

    while (out.told < end) {
        struct kozo_raw r = kozo_syscall(KOZO_SYS_DEBUG_LOG, KOZO_INIT_DEBUG, out.told);
        uint64_t len = r.err == KOZO_OK && r.b <= end - out.told ? r.b : end - out.told;

        if (r.err != KOZO_OK || r.b == 0)
            return;
        len = len < sizeof text ? len : sizeof text;
        memcpy(text, kozo_buffer()->word, len);
        kozo_printf("%.*s", (int)len, text);
        out.told = r.a;
    }
}

/* What the console has not shown of what was put. */
static void repeat_lines(void)
{
    uint64_t from = shown();

    if (out.ring.count - from > WIRE_ENTRIES)
        from = out.ring.count;
    for (; from < out.ring.count; from++) {
        const struct wire_entry *e =
            (const void *)(out.ring.entry + from % WIRE_ENTRIES * sizeof(struct wire_entry));
        uint64_t told = *(const volatile typeof(e->len) *)&e->len; /* the console can write it */
        uint64_t len = told < WIRE_TEXT ? told : WIRE_TEXT;

        kozo_printf("%.*s", (int)len, e->text);
    }
}

/* Back to the kernel's console, with what was not shown yet. */
static void take_back(void)
{
    bool served = out.to != nullptr;

    if (!out.held)
        return;
    kozo_print_flush();
    out.held = false;
    out.to = nullptr;
    kozo_print_to(nullptr);
    (void)kozo_cap_revoke(kozo_own(out.ports));
    repeat_log();
    if (served)
        repeat_lines();
    kozo_print_flush();
}

void output_ended(const struct service *s)
{
    if (lends(s))
        take_back();
}

void output_finish(void)
{
    uint64_t end = kozo_now() + patience;

    kozo_print_flush();
    while (out.to != nullptr && shown() != out.ring.count && kozo_now() < end)
        (void)kozo_sleep(KOZO_MS);
    take_back();
}
