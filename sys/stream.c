/* SPDX-License-Identifier: MIT */
#include <kozo/stream.h>

#include <kozo/console.h>
#include <kozo/file.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>

static_assert(KOZO_STREAM_BUFFER <= KOZO_CONSOLE_TEXT);

/* ---- finding ---- */

static kozo_cptr cap_of(const char *name, const char *suffix)
{
    char full[KOZO_START_NAME];

    if (kozo_snprintf(full, sizeof full, "%s%s", name, suffix) >= (int)sizeof full)
        return 0;
    return kozo_cap(full);
}

static enum kozo_err join(struct kozo_stream *s, void *memory, uint64_t bytes,
                          struct kozo_notification wake, struct kozo_notification wait)
{
    enum kozo_err err = kozo_ring_join(
        &s->ring, s->way == KOZO_STREAM_WRITES ? KOZO_RING_PRODUCER : KOZO_RING_CONSUMER, memory,
        bytes, KOZO_PIPE_ENTRIES, sizeof(struct kozo_pipe_entry), wake, wait);

    if (err != KOZO_OK)
        return KOZO_ERR_STATE;
    s->kind = KOZO_STREAM_PIPE;
    return KOZO_OK;
}

enum kozo_err kozo_stream_of_pipe(struct kozo_stream *s, void *memory,
                                  struct kozo_notification wake, struct kozo_notification wait,
                                  enum kozo_stream_way way)
{
    *s = (struct kozo_stream){ .way = way };
    return join(s, memory, KOZO_PIPE_BYTES, wake, wait);
}

void kozo_stream_of_file(struct kozo_stream *s, struct kozo_endpoint file, uint64_t offset,
                         enum kozo_stream_way way)
{
    *s = (struct kozo_stream){
        .kind = KOZO_STREAM_FILE, .way = way, .cap = file, .offset = offset
    };
}

/* A file, or one to append to; false when there is neither. */
static bool find_file(struct kozo_stream *s, const char *name)
{
    kozo_cptr file = cap_of(name, ".file"), append = cap_of(name, ".append");

    if (file != 0)
        kozo_stream_of_file(s, (struct kozo_endpoint){ file }, 0, s->way);
    else if (append != 0)
        kozo_stream_of_file(s, (struct kozo_endpoint){ append }, KOZO_FILE_END, s->way);
    return file != 0 || append != 0;
}

enum kozo_err kozo_stream_open(struct kozo_stream *s, const char *name, enum kozo_stream_way way)
{
    struct kozo_mapping m = kozo_mapping(name);

    *s = (struct kozo_stream){ .way = way };
    if (m.at != nullptr)
        return join(s, (void *)(uintptr_t)m.at, m.bytes,
                    (struct kozo_notification){ cap_of(name, ".wake") },
                    (struct kozo_notification){ cap_of(name, ".wait") });
    if (find_file(s, name))
        return way == KOZO_STREAM_READS && s->offset == KOZO_FILE_END ? KOZO_ERR_KIND : KOZO_OK;
    s->cap.c = cap_of(name, ".console");
    if (s->cap.c == 0)
        return KOZO_ERR_EMPTY;
    if (way == KOZO_STREAM_READS)
        return KOZO_ERR_KIND;
    s->kind = KOZO_STREAM_CONSOLE;
    return KOZO_OK;
}

/* ---- reading ---- */

/* The writer can change what lies in an entry at any time: its length is read once. */
static struct kozo_res read_pipe(struct kozo_stream *s, char *to, size_t len)
{
    const struct kozo_pipe_entry *e;
    uint64_t there;

    for (;;) {
        while ((e = kozo_ring_front(&s->ring)) == nullptr) {
            enum kozo_err err = kozo_ring_wait(&s->ring, UINT64_MAX);

            if (err == KOZO_ERR_GONE && kozo_ring_ended(&s->ring) == KOZO_RING_CLOSED)
                err = KOZO_OK;
            else if (err == KOZO_OK)
                continue;
            return (struct kozo_res){ 0, err };
        }
        there = __atomic_load_n(&e->len, __ATOMIC_RELAXED);
        if (there > KOZO_PIPE_TEXT)
            return (struct kozo_res){ 0, KOZO_ERR_PROTOCOL };
        if (s->used < there)
            break;
        kozo_ring_drop(&s->ring);
        s->used = 0;
    }
    if (len > there - s->used)
        len = there - s->used;
    memcpy(to, e->text + s->used, len);
    s->used += (uint32_t)len;
    return (struct kozo_res){ len, KOZO_OK };
}

struct kozo_res kozo_stream_read(struct kozo_stream *s, void *to, size_t len)
{
    struct kozo_res r = { 0, KOZO_ERR_EMPTY };

    if (s->way != KOZO_STREAM_READS)
        return r;
    if (len == 0)
        return (struct kozo_res){};
    if (s->kind == KOZO_STREAM_PIPE)
        return read_pipe(s, to, len);
    if (s->kind == KOZO_STREAM_FILE) { /* one message: no error takes along what came before it */
        r = kozo_file_read(s->cap, s->offset, to, len < KOZO_FILE_CHUNK ? len : KOZO_FILE_CHUNK);
        s->offset += r.value;
    }
    return r;
}

/* ---- writing ---- */

/* How many bytes at the end begin a character of UTF-8 that is not complete yet. */
static uint32_t incomplete(const char *text, uint32_t len)
{
    for (uint32_t n = 1; n <= 3 && n <= len; n++) {
        uint8_t c = (uint8_t)text[len - n];

        if ((c & 0xc0) == 0x80)
            continue;
        return (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : c >= 0xc0 ? 2u : 1u) > n ? n : 0;
    }
    return 0;
}

static enum kozo_err write_console(struct kozo_stream *s, uint32_t len)
{
    struct console_write_rep rep;
    struct kozo_msg m;

    for (uint32_t i = 0; i < len; i++) /* text in messages has no NUL */
        if (s->buffer[i] == '\0')
            s->buffer[i] = '?';
    kozo_msg_init(&m);
    return console_call_write(s->cap, &m, &(struct console_write_req){ .text = { s->buffer, len } },
                              &rep);
}

/* Sends what is in the buffer, but for `keep` bytes at its end. */
static enum kozo_err send(struct kozo_stream *s, uint32_t keep)
{
    uint32_t len = s->used - keep;
    enum kozo_err err = KOZO_OK;

    if (len == 0)
        return KOZO_OK;
    if (s->kind == KOZO_STREAM_CONSOLE) {
        err = write_console(s, len);
    } else {
        struct kozo_res r = kozo_file_write(s->cap, s->offset, s->buffer, len);

        err = r.err;
        if (s->offset != KOZO_FILE_END)
            s->offset += r.value;
    }
    memmove(s->buffer, s->buffer + len, keep);
    s->used = keep;
    return err;
}

static enum kozo_err write_buffered(struct kozo_stream *s, const char *from, size_t len)
{
    bool line = len > 0 && from[len - 1] == '\n' && s->kind == KOZO_STREAM_CONSOLE;
    enum kozo_err err = KOZO_OK;

    while (len > 0 && err == KOZO_OK) {
        size_t n = KOZO_STREAM_BUFFER - s->used;

        n = n < len ? n : len;
        memcpy(s->buffer + s->used, from, n);
        s->used += (uint32_t)n;
        from += n;
        len -= n;
        if (s->used == KOZO_STREAM_BUFFER)
            err = send(s, incomplete(s->buffer, s->used));
    }
    return err == KOZO_OK && line ? send(s, 0) : err;
}

/* The value is how many bytes the entry under way takes yet. */
static struct kozo_res room_in_pipe(struct kozo_stream *s, uint64_t deadline)
{
    if (kozo_ring_ended(&s->ring) != KOZO_RING_OPEN)
        return (struct kozo_res){ 0, KOZO_ERR_GONE };
    while (kozo_ring_room(&s->ring) == nullptr) {
        enum kozo_err err = kozo_ring_wait(&s->ring, deadline);

        if (err != KOZO_OK)
            return (struct kozo_res){ 0, err };
    }
    return (struct kozo_res){ KOZO_PIPE_TEXT - s->used, KOZO_OK };
}

struct kozo_res kozo_stream_room(struct kozo_stream *s, uint64_t deadline)
{
    if (s->kind == KOZO_STREAM_NONE || s->way != KOZO_STREAM_WRITES)
        return (struct kozo_res){ 0, KOZO_ERR_EMPTY };
    if (s->kind == KOZO_STREAM_PIPE)
        return room_in_pipe(s, deadline);
    return (struct kozo_res){ KOZO_STREAM_BUFFER, KOZO_OK };
}

static enum kozo_err write_pipe(struct kozo_stream *s, const char *from, size_t len)
{
    while (len > 0) {
        struct kozo_res room = room_in_pipe(s, UINT64_MAX);
        size_t n = room.value < len ? room.value : len;
        struct kozo_pipe_entry *e;

        if (room.err != KOZO_OK)
            return room.err;
        e = kozo_ring_room(&s->ring);
        memcpy(e->text + s->used, from, n);
        s->used += (uint32_t)n;
        e->len = s->used;
        from += n;
        len -= n;
        if (s->used < KOZO_PIPE_TEXT)
            break;
        kozo_ring_put(&s->ring);
        s->used = 0;
    }
    return KOZO_OK;
}

enum kozo_err kozo_stream_write(struct kozo_stream *s, const void *from, size_t len)
{
    if (s->kind == KOZO_STREAM_NONE || s->way != KOZO_STREAM_WRITES)
        return KOZO_ERR_EMPTY;
    if (s->failed == KOZO_OK)
        s->failed =
            s->kind == KOZO_STREAM_PIPE ? write_pipe(s, from, len) : write_buffered(s, from, len);
    return s->failed;
}

enum kozo_err kozo_stream_printf(struct kozo_stream *s, const char *format, ...)
{
    char text[KOZO_STREAM_BUFFER];
    va_list args;
    int len;

    va_start(args, format);
    len = kozo_vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return kozo_stream_write(s, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

static enum kozo_err flush_pipe(struct kozo_stream *s)
{
    if (s->used > 0) {
        if (kozo_ring_ended(&s->ring) != KOZO_RING_OPEN)
            return KOZO_ERR_GONE;
        kozo_ring_put(&s->ring);
        s->used = 0;
    }
    kozo_ring_wake(&s->ring);
    return KOZO_OK;
}

enum kozo_err kozo_stream_flush(struct kozo_stream *s)
{
    if (s->way != KOZO_STREAM_WRITES || s->kind == KOZO_STREAM_NONE)
        return KOZO_OK;
    if (s->failed == KOZO_OK)
        s->failed = s->kind == KOZO_STREAM_PIPE ? flush_pipe(s) : send(s, 0);
    return s->failed;
}

/* What lacks something is not ended as if it were whole. */
static enum kozo_err leave(struct kozo_stream *s, void (*tell)(struct kozo_ring *r))
{
    enum kozo_err err = kozo_stream_flush(s);

    if (s->kind == KOZO_STREAM_PIPE)
        (err == KOZO_OK ? tell : kozo_ring_abort)(&s->ring);
    s->kind = KOZO_STREAM_NONE;
    return err;
}

enum kozo_err kozo_stream_close(struct kozo_stream *s) { return leave(s, kozo_ring_close); }

enum kozo_err kozo_stream_abort(struct kozo_stream *s) { return leave(s, kozo_ring_abort); }
