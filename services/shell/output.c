/* SPDX-License-Identifier: MIT */
#include "shell/output.h"
#include "shell/shell.h"

#include <kozo/console.h>
#include <kozo/error.h>
#include <kozo/log.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/time.h>

static_assert(output_look_every == 50 * KOZO_MS);

static bool listed;  /* the commands are those of the kernel's command line */
static bool stopped; /* Ctrl-C was typed since the line was begun */

static struct {
    struct kozo_stream *to; /* null: the console */
    bool (*look)(void);
    uint64_t look_at;   /* when it is time for the next look */
    enum kozo_err err; /* of the first write that failed */
} out;

void output_set_listed(void) { listed = true; }

bool shell_is_listed(void) { return listed; }

void output_begin_line(void) { stopped = false; }

bool output_was_stopped(void) { return stopped; }

/* ---- the console ---- */

static enum kozo_err write_piece(const char *text, uint64_t len)
{
    struct console_write_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    kozo_msg_init(&m);
    err = console_call_write(kozo_cap_endpoint("console"), &m,
                             &(struct console_write_req){ .text = { text, len } }, &rep);
    stopped |= err == KOZO_ERR_CANCELLED;
    return err;
}

/* The console's next life is another Endpoint: true when it is worth another try. */
bool shell_console_is_back(enum kozo_err err)
{
    return (err == KOZO_ERR_EMPTY || err == KOZO_ERR_GONE) && kozo_reconnect("console") == KOZO_OK;
}

static enum kozo_err write_console(const char *text, uint64_t len)
{
    enum kozo_err err = KOZO_OK;

    for (uint64_t n; err == KOZO_OK && len > 0; text += n, len -= n) {
        n = len < KOZO_CONSOLE_TEXT ? len : KOZO_CONSOLE_TEXT;
        if (n < len)
            n -= text_torn((struct kozo_str){ text, n });
        err = write_piece(text, n);
        if (shell_console_is_back(err))
            err = write_piece(text, n);
    }
    return err;
}

bool shell_stopped(void) { return stopped || write_piece("", 0) == KOZO_ERR_CANCELLED; }

/* ---- a file or a pipe ---- */

void output_begin(struct kozo_stream *to, bool (*look)(void))
{
    out.to = to;
    out.look = look;
    out.look_at = kozo_now() + output_look_every;
    out.err = KOZO_OK;
}

static enum kozo_err look_around(void)
{
    if (kozo_now() < out.look_at)
        return KOZO_OK;
    out.look_at = kozo_now() + output_look_every;
    return out.look() ? KOZO_OK : KOZO_ERR_CANCELLED;
}

/* Waits for room, and looks around in between. */
static struct kozo_res wait_for_room(void)
{
    for (;;) {
        struct kozo_res r = { 0, look_around() };

        if (r.err == KOZO_OK)
            r = kozo_stream_room(out.to, out.look_at);
        if (r.err != KOZO_ERR_TIMEOUT)
            return r;
    }
}

static enum kozo_err write_stream(const char *text, uint64_t len)
{
    while (out.err == KOZO_OK && len > 0) {
        struct kozo_res room = wait_for_room();
        uint64_t n = room.value < len ? room.value : len;

        out.err = room.err != KOZO_OK ? room.err : kozo_stream_write(out.to, text, n);
        text += n;
        len -= n;
    }
    return out.err;
}

enum kozo_err output_end(bool whole)
{
    if (out.err == KOZO_OK)
        out.err = whole ? kozo_stream_close(out.to) : kozo_stream_abort(out.to);
    out.to = nullptr;
    return out.err;
}

void shell_flush(void)
{
    if (out.to != nullptr && out.err == KOZO_OK)
        out.err = kozo_stream_flush(out.to);
}

/* ---- printing ---- */

bool shell_write(const char *text, uint64_t len)
{
    return (out.to != nullptr ? write_stream(text, len) : write_console(text, len)) == KOZO_OK;
}

struct text {
    char at[KOZO_CONSOLE_TEXT];
    uint64_t len;
};

/* What does not fit is cut. */
static void compose(struct text *t, const char *format, va_list args)
{
    uint64_t len = (uint64_t)kozo_vsnprintf(t->at, sizeof t->at, format, args);

    t->len = len < sizeof t->at ? len : sizeof t->at - 1;
}

bool shell_print(const char *format, ...)
{
    struct text text;
    va_list args;

    va_start(args, format);
    compose(&text, format, args);
    va_end(args);
    return shell_write(text.at, text.len);
}

void shell_tell(const char *format, ...)
{
    struct text text;
    va_list args;

    va_start(args, format);
    compose(&text, format, args);
    va_end(args);
    (void)write_console(text.at, text.len);
}

/* Errors of a list are for its reader's log; those of a person for the person. */
void shell_report(const char *line)
{
    if (listed)
        kozo_printf("%s\n", line);
    else
        shell_tell("%s\n", line);
}

uint32_t shell_fail(struct kozo_str what, const char *text)
{
    char printable[128];

    text_printable(printable, sizeof printable, what);
    if (listed)
        kozo_printf("error: %s: %s\n", printable, text);
    else
        shell_tell("error: %s: %s\n", printable, text);
    return 1;
}

uint32_t shell_fail_err(struct kozo_str what, enum kozo_err err)
{
    return shell_fail(what, kozo_err_text(err));
}
