/* SPDX-License-Identifier: MIT */
/* console: what is typed while nobody reads. */
#include "unit.h"

#include "console/ahead.h"

#include <string.h>

static struct ahead ahead;
static uint32_t bells;

static void put(const char *keys)
{
    for (; *keys != '\0'; keys++)
        bells += !ahead_put(&ahead, *keys);
}

static void begin(const char *keys)
{
    memset(&ahead, 0, sizeof ahead);
    bells = 0;
    put(keys);
}

/* Lines of ten keys. */
static void put_lines(unsigned count)
{
    while (count-- > 0)
        put("a line ab\r");
}

/* What a reader gets, up to its line's end. */
static const char *taken(void)
{
    static char line[AHEAD_KEYS + 1];
    uint64_t len = 0;
    int key = 0;

    while (key != '\r' && (key = ahead_take(&ahead)) >= 0)
        line[len++] = (char)key;
    line[len] = '\0';
    return line;
}

TEST(keys_typed_ahead_come_in_their_order)
{
    begin("one\rtwo\rthr");
    CHECK_STR(taken(), "one\r");
    put("ee\r");
    CHECK_STR(taken(), "two\r");
    CHECK_STR(taken(), "three\r");
    CHECK_EQ(ahead_take(&ahead), -1);
    put("\xff");
    CHECK_EQ(ahead_take(&ahead), 0xff);
    CHECK_EQ(ahead_reopen(&ahead), 0);
    CHECK_EQ(bells, 0);
}

TEST(what_was_taken_makes_room)
{
    begin("");
    put_lines(51);
    for (unsigned i = 0; i < 200; i++) {
        CHECK_STR(taken(), "a line ab\r");
        put_lines(1);
    }
    CHECK_EQ(bells, 0);
}

TEST(a_line_that_finds_no_room_is_dropped_with_all_after_it)
{
    begin("");
    put_lines(51);
    put("poweroff\r"); /* two keys of it find room */
    CHECK_EQ(bells, 1);
    put("ls\recho\r\r\n");
    CHECK_EQ(bells, 3); /* once for each line */
    for (unsigned i = 0; i < 51; i++) {
        CHECK_STR(taken(), "a line ab\r");
        put("x\r"); /* not before the reader knows */
    }
    CHECK_EQ(ahead_take(&ahead), -1);
    CHECK_EQ(ahead_reopen(&ahead), 3 + 51);
    CHECK_EQ(ahead_reopen(&ahead), 0);
    CHECK(!ahead_skips(&ahead, 'l'));
    put("ls\r");
    CHECK_STR(taken(), "ls\r");
}

TEST(a_line_whose_end_finds_no_room_does_not_wait_for_another)
{
    begin("ls\r");
    for (unsigned i = 3; i < AHEAD_KEYS; i++)
        put("x");
    put("\recho\r");
    CHECK_STR(taken(), "ls\r");
    CHECK_EQ(ahead_take(&ahead), -1);
    CHECK_EQ(ahead_reopen(&ahead), 2);
    CHECK(!ahead.cut);
}

TEST(the_rest_of_a_dropped_line_is_dropped_when_somebody_reads)
{
    begin("");
    put_lines(51);
    put("write /ram/f");
    while (ahead_take(&ahead) >= 0)
        ;
    CHECK_EQ(ahead_reopen(&ahead), 1);
    for (const char *rest = "ile x\r"; *rest != '\0'; rest++)
        CHECK(ahead_skips(&ahead, *rest));
    CHECK(!ahead_skips(&ahead, 'l'));
    CHECK(!ahead_skips(&ahead, '\r'));
}

TEST(control_c_ends_a_line_that_is_dropped)
{
    begin("a");
    (void)ahead_drop(&ahead, 'b');
    CHECK(ahead_skips(&ahead, 'c'));
    CHECK(!ahead_skips(&ahead, 3));
    CHECK(!ahead_skips(&ahead, 'd'));
    begin("");
    put_lines(60);
    put("lost");
    ahead_clear(&ahead);
    put("ls\r");
    CHECK_STR(taken(), "ls\r");
    CHECK_EQ(ahead_reopen(&ahead), 0);
}

TEST(a_line_that_lost_a_key_is_dropped_and_the_next_is_not)
{
    begin("one\rtw");
    CHECK(!ahead_drop(&ahead, 'o'));
    CHECK(ahead_drop(&ahead, 'X'));
    put("Y\rthree\r");
    CHECK_STR(taken(), "one\r");
    CHECK_STR(taken(), "three\r");
    CHECK_EQ(ahead_take(&ahead), -1);
    CHECK_EQ(ahead_reopen(&ahead), 1);
}

/* `ec`, Tab, and so much that the rest of the line finds no room: `ec` is not to begin another. */
TEST(what_a_reader_has_of_a_dropped_line_is_void)
{
    begin("");
    ahead.goes_on = true;
    for (unsigned i = 0; i < AHEAD_KEYS; i++)
        put("x");
    CHECK(!ahead_voids(&ahead));
    put("x\r");
    CHECK(ahead_voids(&ahead));
    CHECK(!ahead_voids(&ahead));
    begin("");
    ahead.goes_on = true;
    (void)ahead_drop(&ahead, 'x');
    put("x\recho\r");
    CHECK(ahead_voids(&ahead));
    CHECK_STR(taken(), "echo\r");
    begin("");
    ahead.goes_on = true;
    put("ho one\rec");
    (void)ahead_drop(&ahead, 'h');
    CHECK(!ahead_voids(&ahead)); /* that line is there in full */
    begin("ec");
    (void)ahead_drop(&ahead, 'h');
    CHECK(!ahead_voids(&ahead)); /* no reader has any of it */
}
