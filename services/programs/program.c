/* SPDX-License-Identifier: MIT */
#include "programs/program.h"

#include <kozo/error.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>

static struct {
    struct kozo_stream out, err;
    const char *usage;
    bool failed; /* there is more to its output than it will be */
} program;

void program_begin(const char *usage)
{
    program.usage = usage;
    (void)kozo_stream_open(&program.out, "stdout", KOZO_STREAM_WRITES);
    (void)kozo_stream_open(&program.err, "stderr", KOZO_STREAM_WRITES);
}

int program_usage(void)
{
    (void)kozo_stream_flush(&program.out);
    (void)kozo_stream_printf(&program.err, "usage: %s\n", program.usage);
    return PROGRAM_USAGE;
}

/* Of any length, as an argument can be. */
static void complain(const char *text)
{
    (void)kozo_stream_write(&program.err, text, strlen(text));
}

int program_fail(const char *what, const char *text)
{
    program.failed = true;
    (void)kozo_stream_flush(&program.out);
    (void)kozo_stream_printf(&program.err, "%s: ", kozo_program_name());
    complain(what[0] != '\0' ? what : "input");
    (void)kozo_stream_printf(&program.err, ": %s\n", text);
    return PROGRAM_FAILED;
}

int program_fail_err(const char *what, enum kozo_err err)
{
    return program_fail(what, kozo_err_text(err));
}

/* ---- output ---- */

[[noreturn]] static void give_up(enum kozo_err err)
{
    (void)kozo_stream_printf(&program.err, "%s: output: %s\n", kozo_program_name(),
                             kozo_err_text(err));
    (void)kozo_stream_close(&program.err);
    kozo_exit(PROGRAM_FAILED);
}

void program_write(const void *from, size_t len)
{
    enum kozo_err err = kozo_stream_write(&program.out, from, len);

    if (err != KOZO_OK)
        give_up(err);
}

void program_printf(const char *format, ...)
{
    char text[KOZO_STREAM_BUFFER];
    va_list args;
    int len;

    va_start(args, format);
    len = kozo_vsnprintf(text, sizeof text, format, args);
    va_end(args);
    program_write(text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

int program_end(int status)
{
    enum kozo_err err =
        program.failed ? kozo_stream_abort(&program.out) : kozo_stream_close(&program.out);

    if (err != KOZO_OK && err != KOZO_ERR_EMPTY)
        give_up(err);
    (void)kozo_stream_close(&program.err);
    return status;
}

/* ---- input ---- */

static int run_argument(int number, const char *name,
                        int (*run)(const char *name, struct kozo_stream *in))
{
    struct kozo_stream in;
    char stream[16];

    kozo_snprintf(stream, sizeof stream, "arg%d", number);
    if (kozo_stream_open(&in, stream, KOZO_STREAM_READS) != KOZO_OK)
        return program_fail(name, "no file was given for it: name one in full, as /etc/motd");
    return run(name, &in);
}

int program_inputs(int argc, char **argv, int first,
                   int (*run)(const char *name, struct kozo_stream *in))
{
    struct kozo_stream in;
    int status = 0;

    for (int i = first; i < argc; i++) {
        int s = run_argument(i, argv[i], run);

        status = s > status ? s : status;
    }
    if (argc > first)
        return status;
    if (kozo_stream_open(&in, "stdin", KOZO_STREAM_READS) != KOZO_OK)
        return program_usage();
    return run("", &in);
}

bool program_read(const char *name, struct kozo_stream *in, void *to, size_t len, size_t *got,
                  int *status)
{
    struct kozo_res r = kozo_stream_read(in, to, len);

    *got = r.value;
    if (r.err == KOZO_ERR_GONE)
        *status = program_fail(name, "who wrote it died, or failed before its end");
    else if (r.err == KOZO_ERR_TYPE)
        *status = program_fail(name, "is a directory, or no regular file");
    else if (r.err != KOZO_OK)
        *status = program_fail_err(name, r.err);
    return r.err == KOZO_OK && r.value > 0;
}
