/* SPDX-License-Identifier: MIT */
/*
 * greedy - a service that takes all it can get, and leaves nobody in peace: greedy take | ask
 *
 * take: threads that spin, that call fsd, that write to the console and that ask policy, without a
 * pause; leases, objects, mappings, files, open files, memory until each is refused; then it floods
 * the log. ask: asks for what a person has to allow, until policy takes no more of its questions.
 *
 * It is no test program of its own: test_supervise.py puts it into the manifest, and warden.c
 * looks at what becomes of the others.
 */
#include "common/rights.h"

#include <kozo/console.h>
#include <kozo/file.h>
#include <kozo/heap.h>
#include <kozo/log.h>
#include <kozo/memory.h>
#include <kozo/policy.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/system.h>
#include <kozo/time.h>
#include <kozo/worker.h>

constexpr uint32_t priority = 100; /* that of a section which names none, and the service's own */

static struct kozo_msg message;

static struct kozo_endpoint named(const char *name)
{
    kozo_msg_init(&message);
    return kozo_cap_endpoint(name);
}

/* ---- threads that never rest ---- */

static void spin(void *)
{
    for (;;)
        __asm__ volatile("pause");
}

/* Fills the queue of fsd's Endpoint, as fast as it is emptied. */
static void call_for_ever(void *)
{
    struct fs_stat_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    for (;;)
        (void)fs_call_stat(kozo_cap_endpoint("fs"), &m, &(struct fs_stat_req){}, &rep);
}

static void write_for_ever(void *)
{
    struct console_write_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    for (;;)
        (void)console_call_write(kozo_cap_endpoint("console"), &m,
                                 &(struct console_write_req){ kozo_str("more, more\n") }, &rep);
}

static void request_for_ever(void *)
{
    struct policy_request_req req = { .object = kozo_str("fs:/etc/motd"), .rights = RIGHT_WRITE };
    struct policy_request_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    for (;;)
        (void)policy_call_request(kozo_cap_endpoint("policy"), &m, &req, &rep);
}

static uint32_t start_threads(void)
{
    static void (*const all[])(void *) = { spin,          spin,           call_for_ever,
                                           call_for_ever, write_for_ever, request_for_ever };
    static struct kozo_worker worker[sizeof all / sizeof all[0]];
    struct kozo_worker_options o = { .stack_pages = 2, .priority = priority };
    uint32_t n = 0;

    while (n < sizeof all / sizeof all[0] &&
           kozo_worker_start(&worker[n], &o, all[n], nullptr) == KOZO_OK)
        n++;
    return n;
}

/* ---- things ---- */

static uint32_t take_threads(void)
{
    kozo_cptr slot = kozo_slot_alloc();
    uint32_t n = 0;

    while (slot != 0 && kozo_thread_create(kozo_own_pool(), kozo_own(slot), 0, 200) == KOZO_OK) {
        n++;
        slot = kozo_slot_alloc();
    }
    kozo_slot_free(slot);
    return n;
}

static uint32_t take_grants(void)
{
    struct kozo_grant g;
    uint32_t n = 0;

    while (kozo_request("fs:/etc/motd", RIGHT_READ, "more", &g) == KOZO_OK)
        n++;
    return n;
}

static uint32_t take_objects(enum kozo_kind kind)
{
    kozo_cptr slot = kozo_slot_alloc();
    uint32_t n = 0;

    while (slot != 0 && kozo_retype(kozo_own_untyped(), kind, 0, kozo_own(slot), 1) == KOZO_OK &&
           n < 4) {
        n++;
        slot = kozo_slot_alloc();
    }
    return n;
}

/* Files of its own at /ram, until its share is used up. */
static uint32_t make_files(void)
{
    uint32_t n = 0;

    for (char name[16];; n++) {
        struct kozo_file f;

        kozo_snprintf(name, sizeof name, "ram/g%u", n);
        f = kozo_file_create(named("fs"), name, KOZO_FILE_WRITE);
        if (f.err != KOZO_OK)
            return n;
        (void)kozo_file_close(f.cap);
    }
}

/* Mapped pages, as long as there are slots for some files. */
static uint32_t take_mappings(void)
{
    uint32_t n = 0;

    while (kozo_slots_left() > 8 &&
           kozo_memory_alloc(kozo_own_untyped(), KOZO_PAGE_SIZE).err == KOZO_OK)
        n++;
    return n;
}

/* Open files, as many as it has slots for, and many more that it has none for. */
static uint32_t take_files(void)
{
    uint32_t n = 0;

    while (kozo_file_open(named("fs"), "etc/motd", KOZO_FILE_READ).err == KOZO_OK)
        n++;
    for (int i = 0; i < 500; i++) {
        struct fs_open_rep rep;

        (void)fs_call_open(named("fs"), &message,
                           &(struct fs_open_req){ .path = kozo_str("etc/motd"), .rights = 1 },
                           &rep);
    }
    return n;
}

/* All that is left of its memory, page by page: each frame's slot is its own before. */
static uint32_t take_memory(kozo_cptr slot)
{
    uint32_t n = 0;

    (void)kozo_cap_delete(kozo_own(slot));
    while (kozo_retype(kozo_own_untyped(), KOZO_KIND_UNTYPED, KOZO_PAGE_BITS, kozo_own(slot), 1) ==
           KOZO_OK) {
        n++;
        (void)kozo_cap_delete(kozo_own(slot));
        if (n > 100000)
            break;
    }
    while (malloc(64) != nullptr)
        n++;
    return n;
}

/* ---- all of it ---- */

static void ask_init_for_more(void)
{
    struct log_connect_rep rep;

    (void)log_call_connect(named("log"), &message,
                           &(struct log_connect_req){ .name = kozo_str("not named") }, &rep);
}

[[noreturn]] static void take_all(void)
{
    uint32_t busy, threads, grants, objects, made, mapped, files;
    kozo_cptr last = kozo_slot_alloc();

    grants = take_grants();
    made = make_files();
    busy = start_threads();
    threads = take_threads();
    objects = take_objects(KOZO_KIND_ENDPOINT) + take_objects(KOZO_KIND_NOTIFICATION);
    mapped = take_mappings();
    files = take_files();
    kozo_printf("took %u busy threads, %u idle, %u grants, %u objects, %u files at /ram, "
                "%u mappings, %u open files, %u of memory\n",
                busy, threads, grants, objects, made, mapped, files, take_memory(last));
    kozo_msg_begin(&message, 1);
    (void)kozo_call(kozo_cap_endpoint("keep"), &message);
    for (;;) {
        (void)kozo_log_write("still more\n", 11);
        ask_init_for_more();
    }
}

[[noreturn]] static void ask_all(void)
{
    struct kozo_grant g = {};
    uint32_t n = 0;

    while (strstr(g.reason, "share of the audit") == nullptr) {
        (void)kozo_request("fs:/etc/motd", RIGHT_READ, "to ask again", &g);
        n++;
    }
    kozo_printf("asked %u times: %s\n", n, g.reason);
    for (;;)
        (void)kozo_request("fs:/etc/motd", RIGHT_READ, "to ask again", &g);
}

int main(int argc, char **argv)
{
    struct system_wait_rep rep;

    kozo_msg_init(&message);
    (void)kozo_ready();
    if (system_call_wait(named("system"), &message, &(struct system_wait_req){}, &rep) != KOZO_OK)
        return 1;
    if (argc > 1 && strcmp(argv[1], "ask") == 0)
        ask_all();
    take_all();
}
