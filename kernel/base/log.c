/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "kernel.h"

#include <stdarg.h>

static void log_putc(char c)
{
    struct log *l = &kernel.log;

    l->text[l->written++ % LOG_BYTES] = c;
    if (l->drivers == 0 || l->panics > 0)
        arch_console_putc(c);
}

uint64_t log_read(uint64_t *at, char *to, uint64_t most)
{
    const struct log *l = &kernel.log;
    uint64_t count = 0;

    *at = max_u64(*at, l->written > LOG_BYTES ? l->written - LOG_BYTES : 0);
    while (count < most && *at < l->written)
        to[count++] = l->text[(*at)++ % LOG_BYTES];
    return count;
}

/* ---- formatting ---- */

struct spec {
    char pad;
    bool wide; /* 64 bits */
    uint32_t width;
};

static void put_padded(const char *digits, uint32_t n, const struct spec *s)
{
    for (uint32_t i = n; i < s->width; i++)
        log_putc(s->pad);
    while (n-- > 0)
        log_putc(digits[n]);
}

static void put_number(uint64_t v, uint32_t base, bool negative, const struct spec *s)
{
    char digits[24]; /* last first */
    uint32_t n = 0;

    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v != 0);
    if (negative)
        digits[n++] = '-';
    put_padded(digits, n, s);
}

static void put_string(const char *text, const struct spec *s)
{
    uint32_t n = 0;

    for (; text[n] != '\0'; n++)
        log_putc(text[n]);
    for (; n < s->width; n++)
        log_putc(' ');
}

/* What stands after a '%', up to the letter. */
static struct spec parse_spec(const char **format)
{
    struct spec s = { .pad = ' ' };
    const char *f = *format;

    if (*f == '0')
        s.pad = *f++;
    for (; *f >= '0' && *f <= '9'; f++)
        s.width = s.width * 10 + (uint32_t)(*f - '0');
    for (; *f == 'l'; f++)
        s.wide = true;
    *format = f;
    return s;
}

static void vlog(const char *f, va_list args)
{
    for (; *f != '\0'; f++) {
        struct spec s;

        if (*f != '%') {
            log_putc(*f);
            continue;
        }
        f++;
        s = parse_spec(&f);
        if (*f == '\0')
            return;
        switch (*f) {
        case 's':
            put_string(va_arg(args, const char *), &s);
            break;
        case 'c':
            log_putc((char)va_arg(args, int));
            break;
        case 'd': {
            int64_t v = s.wide ? va_arg(args, int64_t) : va_arg(args, int);
            put_number(v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0, &s);
            break;
        }
        case 'u':
            put_number(s.wide ? va_arg(args, uint64_t) : va_arg(args, unsigned), 10, false, &s);
            break;
        case 'x':
            put_number(s.wide ? va_arg(args, uint64_t) : va_arg(args, unsigned), 16, false, &s);
            break;
        case 'p':
            put_number((uint64_t)va_arg(args, void *), 16, false, &s);
            break;
        default:
            log_putc(*f);
        }
    }
}

void klog_part(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vlog(format, args);
    va_end(args);
}

void klog(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vlog(format, args);
    va_end(args);
    log_putc('\n');
}

void klog_bytes(const char *text, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++)
        log_putc(text[i]);
}

/* ---- lines that programs cause ---- */

#define TOLD_MOST 10u
#define SECOND 1'000'000'000u

uint64_t klog_due(void) { return (kernel.log.second + 1) * SECOND; }

void klog_tell_left_out(void)
{
    struct log *l = &kernel.log;

    for (const struct log_gate *g = l->gate; g < l->gate + l->gates; g++)
        if (g->left_out != 0)
            klog("%u more such lines left out, the last of thread %lu (%s)", g->left_out, g->serial,
                 g->name);
    l->gates = l->left_out = 0;
    l->second = arch_now() / SECOND;
}

static struct log_gate *gate_of(uint32_t service)
{
    struct log *l = &kernel.log;

    for (uint32_t i = 0; i < l->gates; i++)
        if (l->gate[i].service == service)
            return &l->gate[i];
    if (l->gates == LOG_GATES)
        return &l->gate[LOG_GATES - 1];
    l->gate[l->gates] = (struct log_gate){ .service = service };
    return &l->gate[l->gates++];
}

bool klog_may_tell(uint32_t service, uint64_t serial, const char *name)
{
    struct log_gate *g;

    if (arch_now() >= klog_due())
        klog_tell_left_out();
    g = gate_of(service);
    if (g->told < TOLD_MOST) {
        g->told++;
        return true;
    }
    g->left_out++;
    kernel.log.left_out++;
    g->serial = serial;
    for (uint32_t i = 0; i + 1 < sizeof g->name; i++)
        g->name[i] = *name != '\0' ? *name++ : '\0';
    return false;
}

/* The report itself failed: say what cannot fail again, and the third time nothing at all. */
[[noreturn]] static void panic_again(const char *file, int line)
{
    if (kernel.log.panics == 2)
        klog("\nkernel panic: another while this one was told (%s:%d)\nKOZO PANIC", file, line);
    arch_stop(0x12);
}

void panic_at(const char *file, int line, const char *format, ...)
{
    va_list args;

    if (++kernel.log.panics > 1)
        panic_again(file, line);
    klog_part("\nkernel panic: ");
    va_start(args, format);
    vlog(format, args);
    va_end(args);
    klog(" (%s:%d)", file, line);
    arch_panic_dump();
    klog("KOZO PANIC");
    arch_stop(0x12);
}

/* ---- names ---- */

static const char *name_in(const char *const *names, size_t count, uint64_t i)
{
    return i < count && names[i] != nullptr ? names[i] : "?";
}

const char *name_of_error(uint64_t err)
{
    static const char *const names[] = {
#define KOZO_ERROR(nr, NAME, text) [nr] = #NAME,
#include <kozo/errors.def>
#undef KOZO_ERROR
    };
    return name_in(names, ARRAY_LEN(names), err);
}

const char *name_of_kind(uint64_t kind)
{
    static const char *const names[] = {
#define KOZO_KIND(nr, NAME, Name, rights, text) [nr] = #Name,
#include <kozo/kinds.def>
#undef KOZO_KIND
    };
    return name_in(names, ARRAY_LEN(names), kind);
}

const char *name_of_fault(uint64_t fault)
{
    static const char *const names[] = {
#define KOZO_FAULT(nr, NAME, text) [nr] = text,
#include <kozo/faults.def>
#undef KOZO_FAULT
    };
    return name_in(names, ARRAY_LEN(names), fault);
}

const char *name_of_call(uint64_t number)
{
    static const char *const names[] = {
#define KOZO_SYSCALL(nr, NAME, name, args, results, text) [nr] = #NAME,
#include <kozo/syscalls.def>
#undef KOZO_SYSCALL
    };
    return name_in(names, ARRAY_LEN(names), number);
}
