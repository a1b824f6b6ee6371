/* SPDX-License-Identifier: MIT */
/*
 * test_log.c - the format of the kernel's lines, its names, its end.
 */
#include "base/log.h"
#include "host.h"

static void fresh(void)
{
    host_machine_reset(HOST_RAM_BYTES);
}

TEST(a_line_ends_with_a_newline_and_a_part_does_not)
{
    fresh();
    klog_part("one ");
    klog("two");
    CHECK_STR(machine.log, "one two\n");
}

TEST(formats)
{
    fresh();
    klog("%s|%c|%%|%u|%d|%d|%x", "text", 'c', 42u, -7, 7, 0xbeefu);
    CHECK_STR(machine.log, "text|c|%|42|-7|7|beef\n");
}

TEST(numbers_at_their_limits)
{
    fresh();
    klog("%u %d %d %lu %ld %lx", UINT32_MAX, INT32_MIN, INT32_MAX, UINT64_MAX, INT64_MIN,
         UINT64_MAX);
    CHECK_STR(machine.log,
              "4294967295 -2147483648 2147483647 18446744073709551615 -9223372036854775808 "
              "ffffffffffffffff\n");
}

TEST(widths_and_zeros)
{
    fresh();
    klog("[%5u] [%05u] [%2u] [%08x] [%016lx] [%6s]", 42u, 42u, 1234u, 0xabcu, 0x1234ul, "ab");
    CHECK_STR(machine.log, "[   42] [00042] [1234] [00000abc] [0000000000001234] [ab    ]\n");
}

TEST(names_come_from_the_tables)
{
    CHECK_STR(name_of_error(KOZO_ERR_RIGHTS), "RIGHTS");
    CHECK_STR(name_of_error(1000), "?");
    CHECK_STR(name_of_kind(KOZO_KIND_ADDRESS_SPACE), "AddressSpace");
    CHECK_STR(name_of_kind(KOZO_KIND_COUNT), "?");
    CHECK_STR(name_of_fault(KOZO_FAULT_PAGE), "page fault");
    CHECK_STR(name_of_fault(UINT64_MAX), "?");
    CHECK_STR(name_of_call(KOZO_SYS_CAP_REVOKE), "CAP_REVOKE");
    CHECK_STR(name_of_call(99), "?");
    CHECK_STR(name_of_call(UINT64_MAX), "?");
}

TEST(a_panic_says_what_and_where_and_stops)
{
    fresh();
    CHECK_PANIC("the answer is 42", panic("the answer is %u", 42u));
    CHECK_EQ(machine.end_code, HOST_END_PANIC);
    CHECK(host_log_has("test_log.c:"));
    CHECK(host_log_has("KOZO PANIC\n"));
}

TEST(a_panic_while_another_is_told_ends_at_once)
{
    fresh();
    kernel.log.panics = 1;
    CHECK_PANIC("another while this one was told", panic("not %s", "told"));
    CHECK(!host_log_has("not told"));
    CHECK(host_log_has("KOZO PANIC\n"));
    CHECK_EQ(machine.end_code, HOST_END_PANIC);

    fresh();
    kernel.log.panics = 2;
    CHECK_PANIC("", panic("not %s", "told"));
    CHECK_STR(machine.log, "");
}

TEST(a_broken_assertion_is_a_panic)
{
    fresh();
    CHECK_PANIC("1 + 1 == 3", kassert(1 + 1 == 3));
}
