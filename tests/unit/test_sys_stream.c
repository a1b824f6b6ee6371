/* SPDX-License-Identifier: MIT */
/*
 * Pipes on the host: both ends in one thread, and another side that writes what it likes over the
 * shared memory, also between two looks at the same word. The sanitizer sees what goes beyond it.
 */
#include "unit.h"

#include <kozo/console.h>
#include <kozo/file.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what ring.c and stream.c call ---- */

static enum kozo_err pipe_signal(struct kozo_notification n, uint64_t bits);
static struct kozo_res pipe_sleep(struct kozo_notification n, uint64_t deadline);
static void before_load(const void *word, unsigned long size);
static kozo_cptr pipe_cap(const char *name);
static struct kozo_mapping pipe_mapping(const char *name);
static struct kozo_res read_file(uint64_t offset, uint64_t len);
static struct kozo_res write_file(uint64_t offset, uint64_t len);
static enum kozo_err no_console(void);

#define kozo_signal pipe_signal
#define kozo_wait(n) pipe_sleep(n, UINT64_MAX)
#define kozo_wait_until pipe_sleep
#define __atomic_load_n(word, order)                                                               \
    (before_load(word, sizeof *(word)), __atomic_load_n(word, order))
#define kozo_ring_bytes pipe_ring_bytes
#define kozo_ring_join pipe_ring_join
#define kozo_ring_look pipe_ring_look
#define kozo_ring_wake pipe_ring_wake
#define kozo_ring_wait pipe_ring_wait
#define kozo_ring_close pipe_ring_close
#define kozo_ring_abort pipe_ring_abort
#define kozo_ring_bury pipe_ring_bury
#define kozo_cap pipe_cap
#define kozo_mapping(name) pipe_mapping(name)
#define kozo_snprintf snprintf
#define kozo_vsnprintf vsnprintf
#define kozo_file_read(file, offset, to, len) read_file(offset, len)
#define kozo_file_write(file, offset, from, len) write_file(offset, len)
#define console_call_write(...) ((void)m, (void)rep, no_console())
#include "../../sys/ring.c"
#include "../../sys/stream.c"

static struct kozo_ring_shared *shared; /* just as much as there is to a pipe */
static struct kozo_stream writer, reader;
static enum kozo_err wakes_with;
static void (*meanwhile)(void); /* what the other side does while one sleeps, once */

/* What the other side writes over a word before it is looked at; null: nothing. */
static void (*spoil)(const void *word, unsigned long size);

static void before_load(const void *word, unsigned long size)
{
    if (spoil != nullptr)
        spoil(word, size);
}

static enum kozo_err pipe_signal(struct kozo_notification, uint64_t) { return KOZO_OK; }

static struct kozo_res pipe_sleep(struct kozo_notification, uint64_t)
{
    void (*then)(void) = meanwhile;

    meanwhile = nullptr;
    if (then == nullptr)
        return (struct kozo_res){ 0, wakes_with };
    then();
    return (struct kozo_res){ 1, KOZO_OK };
}

static kozo_cptr pipe_cap(const char *name)
{
    const char *end = strrchr(name, '.');

    return end != nullptr && strcmp(end, ".wake") == 0   ? 1
           : end != nullptr && strcmp(end, ".wait") == 0 ? 2
           : strcmp(name, "plain.file") == 0             ? 3
           : strcmp(name, "grows.append") == 0           ? 4
           : strcmp(name, "screen.console") == 0         ? 5
                                                         : 0;
}

static struct kozo_mapping pipe_mapping(const char *name)
{
    return strncmp(name, "std", 3) == 0 ? (struct kozo_mapping){ shared, KOZO_PIPE_BYTES }
                                        : (struct kozo_mapping){};
}

static uint64_t last_offset, ends_at; /* from there on a file cannot be read */

/* As kozo_file_read: an error is one of all that it was asked for. */
static struct kozo_res read_file(uint64_t offset, uint64_t len)
{
    if (offset > ends_at || len > ends_at - offset)
        return (struct kozo_res){ 0, KOZO_ERR_STALE };
    return (struct kozo_res){ len, KOZO_OK };
}

static struct kozo_res write_file(uint64_t offset, uint64_t len)
{
    last_offset = offset;
    return (struct kozo_res){ len, KOZO_OK };
}

static enum kozo_err console_says = KOZO_ERR_KIND;
static unsigned console_calls;

static enum kozo_err no_console(void)
{
    console_calls++;
    return console_says;
}

/* Who sleeps with nothing to wake it finds the other side dead. */
static void begin(void)
{
    free(shared);
    shared = aligned_alloc(64, KOZO_PIPE_BYTES);
    memset(shared, 0, KOZO_PIPE_BYTES);
    spoil = nullptr;
    meanwhile = nullptr;
    wakes_with = KOZO_ERR_GONE;
    CHECK_OK(kozo_stream_open(&writer, "stdout", KOZO_STREAM_WRITES));
    CHECK_OK(kozo_stream_open(&reader, "stdin", KOZO_STREAM_READS));
    CHECK_EQ(writer.kind, KOZO_STREAM_PIPE);
}

static struct kozo_pipe_entry *entry(unsigned i)
{
    return (struct kozo_pipe_entry *)(shared + 1) + i;
}

static char text[KOZO_PIPE_BYTES], back[KOZO_PIPE_BYTES];

static void say(const char *what)
{
    CHECK_OK(kozo_stream_write(&writer, what, strlen(what)));
    CHECK_OK(kozo_stream_flush(&writer));
}

/* What is read next, at most `len` bytes; "" at the end. */
static const char *hear(size_t len)
{
    struct kozo_res r = kozo_stream_read(&reader, back, len);

    CHECK_OK(r.err);
    CHECK(r.value <= len);
    back[r.value] = '\0';
    return back;
}

/* ---- both sides mean it well ---- */

TEST(what_is_written_is_read_then_the_end)
{
    begin();
    say("one ");
    say("two");
    CHECK_STR(hear(2), "on");
    CHECK_STR(hear(99), "e ");
    CHECK_STR(hear(99), "two");
    CHECK_OK(kozo_stream_write(&writer, "last", 4)); /* not flushed: closing does */
    CHECK_OK(kozo_stream_close(&writer));
    CHECK_STR(hear(99), "last");
    CHECK_STR(hear(99), "");
    CHECK_STR(hear(99), "");
    CHECK_ERR(kozo_stream_write(&writer, "x", 1), EMPTY);
}

TEST(a_writer_that_dies_leaves_what_it_had_flushed)
{
    begin();
    say("kept");
    CHECK_OK(kozo_stream_write(&writer, "lost", 4));
    CHECK_STR(hear(99), "kept");
    CHECK_ERR(kozo_stream_read(&reader, back, 9).err,
              GONE); /* not the end of what there was to say */
}

TEST(a_writer_that_gives_up_leaves_all_it_wrote_and_no_end)
{
    begin();
    say("kept");
    CHECK_OK(kozo_stream_write(&writer, "and this", 8));
    CHECK_OK(kozo_stream_abort(&writer));
    CHECK_STR(hear(99), "kept");
    CHECK_STR(hear(99), "and this");
    CHECK_ERR(kozo_stream_read(&reader, back, 9).err, GONE);
    pipe_ring_bury(shared, KOZO_RING_PRODUCER, KOZO_RING_CLOSED); /* it exits then */
    CHECK_ERR(kozo_stream_read(&reader, back, 9).err, GONE);
    CHECK_ERR(kozo_stream_write(&writer, "x", 1), EMPTY);
}

static void read_on(void) { CHECK(kozo_stream_read(&reader, back, sizeof back).err == KOZO_OK); }

TEST(a_writer_without_room_waits_and_a_broken_pipe_is_told)
{
    begin();
    memset(text, 'x', sizeof text);
    CHECK_OK(kozo_stream_write(&writer, text, KOZO_PIPE_ENTRIES * KOZO_PIPE_TEXT));
    meanwhile = read_on;
    CHECK_STR(hear(3), "xxx");
    CHECK_OK(kozo_stream_write(&writer, "y", 0));
    CHECK_ERR(kozo_stream_write(&writer, "y", 1), GONE); /* it read, dropped nothing, and died */
    begin();
    CHECK_OK(kozo_stream_write(&writer, text, KOZO_PIPE_ENTRIES * KOZO_PIPE_TEXT));
    CHECK_OK(kozo_stream_close(&reader));
    CHECK_ERR(kozo_stream_write(&writer, "y", 1), GONE);
    CHECK_ERR(kozo_stream_write(&writer, "y", 1), GONE);
    CHECK_ERR(kozo_stream_close(&writer), GONE);
}

TEST(room_is_what_can_be_written_without_waiting)
{
    begin();
    CHECK_EQ(kozo_stream_room(&writer, 0).value, KOZO_PIPE_TEXT);
    say("abc");
    CHECK_OK(kozo_stream_write(&writer, "de", 2));
    CHECK_EQ(kozo_stream_room(&writer, 0).value, KOZO_PIPE_TEXT - 2);
    memset(text, 'x', sizeof text);
    CHECK_OK(kozo_stream_write(&writer, text, (KOZO_PIPE_ENTRIES - 1) * KOZO_PIPE_TEXT - 2));
    wakes_with = KOZO_ERR_TIMEOUT;
    CHECK_ERR(kozo_stream_room(&writer, 0).err, TIMEOUT);
    CHECK_STR(hear(9), "abc");
    meanwhile = read_on;
    CHECK_EQ(kozo_stream_room(&writer, 0).value, KOZO_PIPE_TEXT);
    CHECK_OK(kozo_stream_close(&reader));
    CHECK_ERR(kozo_stream_room(&writer, 0).err, GONE);
    CHECK_ERR(kozo_stream_room(&reader, 0).err, EMPTY);
}

TEST(a_pipe_that_one_made_is_the_same)
{
    struct kozo_notification wake = { 1 }, wait = { 2 };

    begin();
    CHECK_OK(kozo_stream_of_pipe(&writer, shared, wake, wait, KOZO_STREAM_WRITES));
    say("made");
    CHECK_STR(hear(9), "made");
    CHECK_ERR(kozo_stream_of_pipe(&writer, (char *)shared + 8, wake, wait, KOZO_STREAM_WRITES),
              STATE);
}

TEST(a_file_is_written_on_or_at_its_end)
{
    begin();
    memset(text, 'x', sizeof text);
    CHECK_OK(kozo_stream_open(&writer, "plain", KOZO_STREAM_WRITES));
    CHECK_EQ(kozo_stream_room(&writer, 0).value, KOZO_STREAM_BUFFER);
    CHECK_OK(kozo_stream_write(&writer, text, KOZO_STREAM_BUFFER));
    CHECK_EQ(last_offset, 0);
    say("x");
    CHECK_EQ(last_offset, KOZO_STREAM_BUFFER);
    CHECK_OK(kozo_stream_open(&writer, "grows", KOZO_STREAM_WRITES));
    CHECK_OK(kozo_stream_write(&writer, text, KOZO_STREAM_BUFFER));
    CHECK_EQ(last_offset, KOZO_FILE_END);
    last_offset = 0;
    say("x");
    CHECK_EQ(last_offset, KOZO_FILE_END);
    CHECK_ERR(kozo_stream_open(&reader, "grows", KOZO_STREAM_READS), KIND);
    kozo_stream_of_file(&writer, (struct kozo_endpoint){ 3 }, 7, KOZO_STREAM_WRITES);
    say("x");
    CHECK_EQ(last_offset, 7);
}

/* Whoever removes it, or ends its server: what had come is read. */
TEST(a_file_is_read_up_to_where_it_cannot_be_read_on)
{
    begin();
    ends_at = 2 * KOZO_FILE_CHUNK + 5;
    CHECK_OK(kozo_stream_open(&reader, "plain", KOZO_STREAM_READS));
    CHECK_EQ(kozo_stream_read(&reader, back, 3).value, 3);
    CHECK_EQ(kozo_stream_read(&reader, back, sizeof back).value, KOZO_FILE_CHUNK);
    CHECK_EQ(kozo_stream_read(&reader, back, sizeof back).value, KOZO_FILE_CHUNK);
    CHECK_ERR(kozo_stream_read(&reader, back, sizeof back).err, STALE);
    CHECK_EQ(kozo_stream_read(&reader, back, 2).value, 2);
}

/* Who looks at no error of a write learns of it when it closes. */
TEST(the_first_error_of_a_write_is_told_until_the_end)
{
    begin();
    CHECK_OK(kozo_stream_open(&writer, "screen", KOZO_STREAM_WRITES));
    console_says = KOZO_ERR_GONE;
    CHECK_ERR(kozo_stream_write(&writer, "lost\n", 5), GONE);
    console_says = KOZO_OK;
    console_calls = 0;
    CHECK_ERR(kozo_stream_write(&writer, "with a hole before it\n", 22), GONE);
    CHECK_ERR(kozo_stream_flush(&writer), GONE);
    CHECK_ERR(kozo_stream_close(&writer), GONE);
    CHECK_EQ(console_calls, 0);

    CHECK_OK(kozo_stream_open(&writer, "screen", KOZO_STREAM_WRITES));
    CHECK_OK(kozo_stream_write(&writer, "anew\n", 5));
    CHECK_OK(kozo_stream_close(&writer));
    CHECK_EQ(console_calls, 1);
}

/* Nobody was there to read on for a while: what then comes is not all, and has no end. */
TEST(a_pipe_that_lacks_something_has_no_end)
{
    struct kozo_res r;

    begin();
    say("whole");
    wakes_with = KOZO_ERR_CANCELLED;
    memset(text, 'x', sizeof text);
    CHECK_ERR(kozo_stream_write(&writer, text, sizeof text), CANCELLED);
    CHECK_ERR(kozo_stream_close(&writer), CANCELLED);
    do
        r = kozo_stream_read(&reader, back, sizeof back);
    while (r.err == KOZO_OK && r.value > 0);
    CHECK_ERR(r.err, GONE);
}

TEST(a_stream_goes_one_way)
{
    begin();
    CHECK_ERR(kozo_stream_write(&reader, "x", 1), EMPTY);
    CHECK_ERR(kozo_stream_read(&writer, back, 1).err, EMPTY);
    CHECK_EQ(shared->consumer.count + shared->producer.count, 0);
    CHECK_ERR(kozo_stream_open(&reader, "none", KOZO_STREAM_READS), EMPTY);
    CHECK_ERR(kozo_stream_read(&reader, back, 1).err, EMPTY);
}

/* ---- a writer that means it ill ---- */

#define CORRUPT(name, ...)                                                                         \
    static void name(void) { __VA_ARGS__; }

CORRUPT(count_beyond, shared->producer.count = KOZO_PIPE_ENTRIES + 2)
CORRUPT(count_back, shared->producer.count = 0)
CORRUPT(count_wraps, shared->producer.count = UINT64_MAX)
CORRUPT(count_2_63, shared->producer.count = 1ull << 63)
CORRUPT(count_2_32, shared->producer.count = (1ull << 32) + 1)
CORRUPT(length_beyond, entry(1)->len = KOZO_PIPE_TEXT + 1)
CORRUPT(length_all, entry(1)->len = UINT64_MAX)
CORRUPT(length_2_63, entry(1)->len = 1ull << 63)
CORRUPT(length_2_32, entry(1)->len = (1ull << 32) + 1)
CORRUPT(length_used, entry(1)->len = UINT64_MAX - 1) /* beyond what was read of it */
CORRUPT(all_ones, memset(shared, 0xff, KOZO_PIPE_BYTES))

/* The first entry has been read; then the writer spoils something, and the reader reads on. */
TEST(a_reader_bears_what_its_writer_spoils)
{
    static const struct {
        void (*how)(void);
        bool second; /* the writer has put a second entry */
        enum kozo_err ends;
    } table[] = {
        { count_beyond, false, KOZO_ERR_PROTOCOL }, { count_back, false, KOZO_ERR_PROTOCOL },
        { count_wraps, false, KOZO_ERR_PROTOCOL },  { count_2_63, false, KOZO_ERR_PROTOCOL },
        { count_2_32, false, KOZO_ERR_PROTOCOL },   { length_beyond, true, KOZO_ERR_PROTOCOL },
        { length_all, true, KOZO_ERR_PROTOCOL },    { length_2_63, true, KOZO_ERR_PROTOCOL },
        { length_2_32, true, KOZO_ERR_PROTOCOL },   { length_used, true, KOZO_ERR_PROTOCOL },
        { all_ones, false, KOZO_ERR_PROTOCOL },
    };

    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
        begin();
        say("first");
        if (table[i].second)
            say("second");
        CHECK_STR(hear(99), "first");
        table[i].how();
        for (unsigned again = 0; again < 3; again++) {
            struct kozo_res r = kozo_stream_read(&reader, back, sizeof back);

            if (r.err != table[i].ends || r.value != 0)
                FAIL("corruption %u: %llu bytes, error %u", i, (unsigned long long)r.value, r.err);
        }
        CHECK_OK(kozo_stream_close(&reader));
    }
}

/* An entry that gets shorter or longer while it is read stays within its place. */
TEST(a_length_that_changes_ends_the_entry_or_shows_the_rest_of_it)
{
    begin();
    say("abcdef");
    say("next");
    CHECK_STR(hear(4), "abcd");
    entry(0)->len = 2;
    CHECK_STR(hear(99), "next");
    begin();
    say("abcdef");
    CHECK_STR(hear(4), "abcd");
    entry(0)->len = KOZO_PIPE_TEXT;
    CHECK_EQ(kozo_stream_read(&reader, back, sizeof back).value, KOZO_PIPE_TEXT - 4);
    begin();
    say("");
    entry(0)->len = 0;
    shared->producer.count = KOZO_PIPE_ENTRIES; /* all of them empty */
    CHECK_ERR(kozo_stream_read(&reader, back, 9).err, GONE);
}

/* ---- a reader that means it ill ---- */

CORRUPT(freed_beyond, shared->consumer.count = KOZO_PIPE_ENTRIES + 1)
CORRUPT(freed_back, shared->consumer.count = UINT64_MAX)
CORRUPT(freed_2_63, shared->consumer.count = 1ull << 63)

TEST(a_writer_bears_what_its_reader_spoils)
{
    static const struct {
        void (*how)(void);
        enum kozo_err ends;
    } table[] = { { freed_beyond, KOZO_ERR_PROTOCOL },
                  { freed_back, KOZO_ERR_PROTOCOL },
                  { freed_2_63, KOZO_ERR_PROTOCOL },
                  { all_ones, KOZO_ERR_GONE } }; /* it says that it has closed */

    memset(text, 'x', sizeof text);
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
        begin();
        CHECK_OK(kozo_stream_write(&writer, text, KOZO_PIPE_ENTRIES * KOZO_PIPE_TEXT));
        table[i].how();
        CHECK_EQ(kozo_stream_write(&writer, text, sizeof text), table[i].ends);
        CHECK_EQ(kozo_stream_write(&writer, "y", 1), table[i].ends);
        CHECK_EQ(kozo_stream_close(&writer), table[i].ends);
    }
}

/* ---- a side that writes whenever the other one looks ---- */

static uint64_t state;

static uint64_t dice(uint64_t sides)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (state >> 33) % sides;
}

/* Each look finds another value: small, near to a limit, or anything. */
static void spoil_all(const void *word, unsigned long size)
{
    uint64_t value = dice(3) == 0   ? state
                     : dice(2) == 0 ? dice(KOZO_PIPE_ENTRIES + 3)
                                    : KOZO_PIPE_TEXT - 2 + dice(4);

    /* That it has closed ends most games: seldom. */
    if (dice(word == &shared->producer.closed || word == &shared->consumer.closed ? 64 : 2) == 0)
        memcpy((void *)(uintptr_t)word, &value, size);
    if (dice(8) == 0)
        memset((char *)shared + dice(KOZO_PIPE_BYTES), (int)dice(256), 1);
}

static unsigned ended[2][256]; /* by side and error */

static void play(unsigned steps)
{
    begin();
    spoil = spoil_all;
    for (unsigned i = 0; i < steps; i++) {
        size_t len = 1 + dice(sizeof back - 1);
        struct kozo_res r;
        enum kozo_err err;

        err = kozo_stream_write(&writer, text, len);
        CHECK(err == KOZO_OK || err == KOZO_ERR_GONE || err == KOZO_ERR_PROTOCOL);
        ended[0][err]++;
        CHECK(err == KOZO_OK || kozo_stream_flush(&writer) == err);
        err = kozo_stream_flush(&writer);
        CHECK(err == KOZO_OK || err == KOZO_ERR_GONE || err == KOZO_ERR_PROTOCOL);
        r = kozo_stream_read(&reader, back, len);
        CHECK(r.err == KOZO_OK || r.err == KOZO_ERR_GONE || r.err == KOZO_ERR_PROTOCOL);
        CHECK(r.value <= len && r.value <= KOZO_PIPE_TEXT);
        ended[1][r.err]++;
    }
    (void)kozo_stream_close(&writer);
    CHECK_OK(kozo_stream_close(&reader));
}

TEST(nothing_that_is_written_over_leads_out_of_the_pipe)
{
    memset(ended, 0, sizeof ended);
    for (unsigned game = 1; game <= 20000; game++) {
        state = game;
        play(4);
    }
    for (unsigned side = 0; side < 2; side++)
        CHECK(ended[side][KOZO_OK] > 1000 && ended[side][KOZO_ERR_PROTOCOL] > 1000 &&
              ended[side][KOZO_ERR_GONE] > 100);
    spoil = nullptr;
}
