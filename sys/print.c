/* SPDX-License-Identifier: MIT */
#include <kozo/print.h>

#include <kozo/log.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>

#define STB_SPRINTF_IMPLEMENTATION
#define STB_SPRINTF_STATIC
#define STB_SPRINTF_NOFLOAT
#define STB_SPRINTF_MIN 128
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#include <stb_sprintf.h>
#pragma clang diagnostic pop

static struct {
    char text[KOZO_LOG_TEXT];
    size_t len;
    kozo_print_sink *sink;
} line;

/* The kernel's console takes text by way of the IPC buffer. */
static void write_console(const char *text, size_t len)
{
    struct kozo_ipc_buffer *b = kozo_buffer();

    memcpy(b->word, text, len);
    (void)kozo_debug_write((struct kozo_debug){ KOZO_INIT_DEBUG }, len);
}
static_assert(KOZO_LOG_TEXT <= KOZO_MSG_EXTRA * sizeof(uint64_t));

void kozo_print_flush(void)
{
    size_t len = line.len;

    line.len = 0;
    if (len == 0)
        return;
    if (line.sink != nullptr)
        line.sink(line.text, len);
    else if (kozo_start() == nullptr)
        write_console(line.text, len);
    else
        (void)kozo_log_write(line.text, len);
}

void kozo_print_to(kozo_print_sink *sink)
{
    kozo_print_flush();
    line.sink = sink;
}

static void append(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        line.text[line.len++] = text[i];
        if (text[i] == '\n' || line.len == sizeof(line.text))
            kozo_print_flush();
    }
}

static char *append_part(const char *part, [[maybe_unused]] void *user, int len)
{
    append(part, (size_t)len);
    return (char *)(uintptr_t)part;
}

void kozo_vprintf(const char *format, va_list args)
{
    char part[STB_SPRINTF_MIN];

    stbsp_vsprintfcb(append_part, nullptr, part, format, args);
}

void kozo_printf(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    kozo_vprintf(format, args);
    va_end(args);
}

int kozo_vsnprintf(char *to, size_t size, const char *format, va_list args)
{
    return stbsp_vsnprintf(to, size > INT32_MAX ? INT32_MAX : (int)size, format, args);
}

int kozo_snprintf(char *to, size_t size, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = kozo_vsnprintf(to, size, format, args);
    va_end(args);
    return n;
}
