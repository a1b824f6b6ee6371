/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <stdarg.h>

uint32_t tick_cost;

constexpr uint16_t PORT_TAP = 0xe9;
constexpr uint16_t PORT_STOP = 0x505; /* QEMU's pvpanic, told to pause the machine */
constexpr uint32_t TRACED = 4;        /* this sample */

static void out(uint16_t port, uint8_t value)
{
    (void)kozo_ioport_out((struct kozo_io_port){ KOZO_INIT_IOPORT }, port, 1, value);
}

[[gnu::format(printf, 1, 2)]] static void tell(const char *format, ...)
{
    char line[160];
    va_list args;

    va_start(args, format);
    (void)kozo_vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    for (const char *c = line; *c != '\0'; c++)
        out(PORT_TAP, (uint8_t)*c);
}

/* ---- what was asked for ---- */

static const char *asked(void)
{
    static const char key[] = "kozo.bench=";
    const char *at = strstr(kozo_boot_info()->cmdline, key);

    return at == nullptr ? nullptr : at + sizeof(key) - 1;
}

/* Rows of scale.c have many names; the case is named. */
static bool is_scale(const char *name)
{
    return strncmp(name, "scale_", 6) == 0;
}

static bool names(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list; at != nullptr && *at != '\0' && *at != ' ';) {
        size_t n = 0;

        while (at[n] != '\0' && at[n] != ' ' && at[n] != ',')
            n++;
        if (n <= len && strncmp(at, name, n) == 0 && (name[n] == '\0' || is_scale(name)))
            return true;
        at += n + (at[n] == ',');
    }
    return false;
}

bool wanted(const char *name)
{
    const char *list = asked();

    return list != nullptr ? names(list, name) : !is_scale(name);
}

/* ---- series ---- */

static void trace(const char *what, const char *name)
{
    if (strstr(kozo_boot_info()->cmdline, "kozo.trace") == nullptr)
        return;
    tell("# trace %s %s\n", what, name);
    out(PORT_STOP, 1);
}

void series_add(struct series *s, uint64_t value)
{
    if (s->count == SAMPLES)
        return;
    if (s->count == TRACED - 1)
        trace("end", s->name);
    s->value[s->count++] = value;
    if (s->count == TRACED - 1)
        trace("begin", s->name);
}

static void sort(struct series *s)
{
    for (uint32_t i = 1; i < s->count; i++) {
        uint64_t v = s->value[i];
        uint32_t at = i;

        for (; at > 0 && s->value[at - 1] > v; at--)
            s->value[at] = s->value[at - 1];
        s->value[at] = v;
    }
}

void report_each(const char *name, const struct series *s, uint64_t per)
{
    struct series sorted = *s;

    if (!KOZO_CHECK(s->count > 0) || !wanted(name))
        return;
    sort(&sorted);
    tell("# bench %s %lu %lu %lu %u\n", name, sorted.value[s->count / 2] / per,
         sorted.value[0] / per, sorted.value[s->count - 1] / per, s->count);
}

void report(const struct series *s)
{
    report_each(s->name, s, 1);
}

void report_value(const char *name, uint64_t value)
{
    report(&(struct series){ .name = name, .count = 1, .value = { value } });
}

/* What the counting itself costs; the first case, so that all others can subtract it. */
KOZO_TEST(counting_costs_the_same_each_time)
{
    bool real_time = strstr(kozo_boot_info()->cmdline, "kozo.wall") != nullptr;
    uint32_t least = UINT32_MAX, most = 0;

    tick_cost = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint32_t cost;

        COUNT(cost, );
        least = cost < least ? cost : least;
        most = cost > most ? cost : most;
    }
    tick_cost = least;
    KOZO_CHECK(real_time || (most == least && least > 0 && least < 8));
}
