/* SPDX-License-Identifier: MIT */
/*
 * test_debug.c - what the Debug capability shows: the log's ring, recorded events, the tree.
 */
#include "base/trace.h"
#include "host.h"
#include <string.h>

#define A SLOT_FREE
#define B (SLOT_FREE + 1)

/* DEBUG_LOG from `at` on: the characters are in the buffer. Returns how many. */
static uint64_t read_log(uint64_t at)
{
    CHECK_OK(call(host.init, DEBUG_LOG, SLOT_DEBUG, at));
    return host.init->frame.reg[1];
}

TEST(calls_of_the_debug_capability_check_it_first)
{
    static const uint64_t number[] = { KOZO_SYS_DEBUG_LOG, KOZO_SYS_DEBUG_EVENTS,
                                       KOZO_SYS_DEBUG_TREE };

    host_boot();
    CHECK_OK(call(host.init, CAP_COPY, 0, A, 0, SLOT_DEBUG, KOZO_WRITE));
    CHECK_OK(call(host.init, CAP_COPY, 0, B, 0, SLOT_DEBUG, KOZO_READ));
    struct tcb *bare = host_peer(HOST_PRIORITY);
    for (uint32_t i = 0; i < ARRAY_LEN(number); i++) {
        CHECK_ERR(call_number(host.init, number[i], SLOT_EP), KIND);
        CHECK_ERR(call_number(host.init, number[i], A), RIGHTS);
        CHECK_ERR(call_number(bare, number[i], B), BUFFER);
    }
    CHECK_ERR(call(host.init, DEBUG_TRACE, SLOT_EP, 0), KIND);
    CHECK_ERR(call(host.init, DEBUG_TRACE, B, 0), RIGHTS);
}

/* ---- the log ---- */

TEST(the_log_is_read_from_where_one_was)
{
    host_boot();
    uint64_t at = kernel.log.written;
    klog("one line");
    CHECK_EQ(read_log(at), 9);
    CHECK_EQ(memcmp(host.init->buffer->word, "one line\n", 9), 0);
    CHECK_EQ(host.init->frame.reg[0], at + 9);
    CHECK_EQ(host.init->frame.reg[2], 0);
    CHECK_EQ(read_log(at + 9), 0);
}

TEST(what_the_log_lost_is_told)
{
    host_boot();
    while (kernel.log.written < LOG_BYTES + 100)
        klog("%050u", 1u);
    uint64_t lost = kernel.log.written - LOG_BYTES, at = 0, read = 0;
    CHECK_EQ(read_log(0), sizeof host.init->buffer->word);
    CHECK_EQ(host.init->frame.reg[2], lost);
    do {
        read += read_log(at);
        at = host.init->frame.reg[0];
    } while (host.init->frame.reg[1] != 0);
    CHECK_EQ(at, kernel.log.written);
    CHECK_EQ(read, LOG_BYTES);
}

TEST(a_driver_of_the_console_silences_the_kernel_there)
{
    host_boot();
    CHECK_OK(call(host.init, IOPORT_MINT, SLOT_IOPORT, 0x3f8, 0x3fe, 0, A));
    klog("still there");
    CHECK(host_log_has("still there"));
    CHECK_OK(call(host.init, IOPORT_MINT, SLOT_IOPORT, 0x3f8, 0x3ff, 0, B));
    klog("in the ring alone");
    CHECK(!host_log_has("in the ring alone"));
    CHECK_OK(call(host.init, CAP_DELETE, 0, B));
    klog("there again");
    CHECK(host_log_has("there again"));
    CHECK_OK(call(host.init, IOPORT_MINT, SLOT_IOPORT, 0x3f8, 0x3ff, 0, B));
    CHECK_PANIC("taken back", panic("the console is taken back"));
}

static const char *cut_format(void) { return "cut %"; }

TEST(a_format_that_is_cut_ends_there)
{
    host_boot();
    host_log_forget();
    klog(cut_format(), 1);
    CHECK_STR(machine.log, "cut \n");
}

TEST(names_that_tables_have_not)
{
    uint32_t unknown = 0;

    for (uint64_t i = 0; i < KOZO_SYSCALL_LIMIT; i++)
        unknown += strcmp(name_of_call(i), "?") == 0;
    CHECK(unknown >= KOZO_SYSCALL_LIMIT - 49);
}

TEST(names_of_threads_are_letters)
{
    struct tcb t = {};

    memcpy(&t.name, "eightlet", 8);
    CHECK_STR(tcb_name(&t).text, "eightlet");
    memcpy(&t.name, "a \x7f!\xff~\n", 8);
    CHECK_STR(tcb_name(&t).text, "a?"
                                 "?!?~?");
}

/* ---- the tree ---- */

static const struct kozo_tree_entry *entry(uint64_t i)
{
    return (const struct kozo_tree_entry *)host.init->buffer->word + i;
}

static uint64_t depth_of(uint64_t i) { return entry(i)->what >> 48; }

TEST(the_tree_lists_every_capability_once)
{
    host_boot();
    uint64_t skip = 0, total = 0;
    do {
        CHECK_OK(call(host.init, DEBUG_TREE, SLOT_DEBUG, 0, 0, skip));
        total += host.init->frame.reg[1];
        skip = host.init->frame.reg[0];
    } while (skip != 0);
    CHECK_EQ(total, kernel.caps);
}

TEST(the_tree_below_a_slot_tells_depth_badge_and_object)
{
    host_boot();
    CHECK_OK(call(host.init, CAP_MINT, 0, A, 0, SLOT_EP, KOZO_SAME_RIGHTS, 0x77));
    CHECK_OK(call(host.init, CAP_COPY, 0, B, 0, A, KOZO_READ));
    CHECK_OK(call(host.init, DEBUG_TREE, SLOT_DEBUG, 0, SLOT_EP, 0));
    CHECK_EQ(host.init->frame.reg[0], 0);
    CHECK_EQ(host.init->frame.reg[1], 2);
    CHECK_EQ(host.init->frame.reg[2], trace_identity(KOZO_KIND_NULL, (uint64_t)host_slot(SLOT_EP)));
    CHECK_EQ(depth_of(0), 1);
    CHECK_EQ(depth_of(1), 2);
    CHECK_EQ(entry(0)->badge, 0x77);
    CHECK_EQ(entry(1)->badge, 0x77);
    CHECK_EQ(entry(0)->object, entry(1)->object);
    CHECK_EQ(entry(1)->slot, trace_identity(KOZO_KIND_NULL, (uint64_t)host_slot(B)));
    CHECK_EQ(entry(1)->what & 0xff, KOZO_KIND_ENDPOINT);
    CHECK_EQ(entry(1)->what >> 8 & 0xff, KOZO_READ);
    CHECK_OK(call(host.init, DEBUG_TREE, SLOT_DEBUG, 0, SLOT_EP, 1));
    CHECK_EQ(host.init->frame.reg[1], 1);
}

TEST(the_tree_tells_its_errors)
{
    host_boot();
    CHECK_ERR(call(host.init, DEBUG_TREE, SLOT_DEBUG, 0, A, 0), EMPTY);
    CHECK_ERR(call(host.init, DEBUG_TREE, SLOT_DEBUG, 0, 0, KOZO_TREE_SKIP_MAX + 1), ARGUMENT);
}

TEST(the_dump_of_a_large_space_comes_in_parts)
{
    host_boot_sized(HOST_RAM_BYTES, 10);
    host_log_forget();
    uint64_t next = 0, calls = 0;
    do {
        CHECK_OK(call(host.init, DEBUG_DUMP, SLOT_DEBUG, next));
        next = host.init->frame.reg[0];
        calls++;
    } while (next != 0);
    CHECK_EQ(calls, 4);
    CHECK(host_log_has("cap 12: Endpoint"));
}

TEST(a_thread_has_the_name_it_is_given_or_its_makers)
{
    host_boot();
    host.init->name = 0x74696e69; /* init */
    CHECK_OK(call(host.init, THREAD_CREATE, SLOT_POOL, 0, A, 0, HOST_PRIORITY, 0x6b726f77));
    CHECK_STR(tcb_name((struct tcb *)host_slot(A)->cap.object).text, "work");
    CHECK_OK(call(host.init, THREAD_CREATE, SLOT_POOL, 0, B, 0, HOST_PRIORITY));
    CHECK_STR(tcb_name((struct tcb *)host_slot(B)->cap.object).text, "init");
}
