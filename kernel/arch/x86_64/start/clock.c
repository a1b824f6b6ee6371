/* SPDX-License-Identifier: MIT */
/*
 * clock.c - the rates of the TSC and of the local APIC's timer, from two samples against a clock
 * whose rate is known.
 *
 * The first sample is taken early, the second when somebody first asks for the time; what lies
 * between is boot, not waiting. Only if that was less than 1 ms is the rest waited for.
 */
#include "base/log.h"
#include "start.h"

#define NS_PER_S 1000000000ull
#define SPAN_NS 1000000ull /* at least between the samples */

/* ---- clocks of known rate ---- */

struct reference {
    const char *name;
    bool (*start)(void);
    uint64_t (*read)(void);
    /* it counted so far that the count means nothing; null: it goes on for seconds */
    bool (*ended)(void);
    uint64_t mask;       /* it counts up, modulo mask + 1 */
    uint64_t tick_fs;    /* femtoseconds a tick */
};

static struct {
    const struct acpi_found *acpi;
    struct reference ref;
    struct sample {
        struct reading {
            uint64_t count, tsc;
        } ref, timer;
    } first;
    struct kozo_clock *page;
} clock;

#define HPET_PERIOD 1 /* indices of 32-bit registers */
#define HPET_CONFIG 4
#define HPET_COUNTER 60
#define HPET_CONFIG_ON 1u
#define HPET_PERIOD_MOST 100000000u

static volatile uint32_t *hpet(void) { return x86_device(X86_DEVICE_HPET); }

static uint64_t hpet_read(void) { return hpet()[HPET_COUNTER]; }

static bool hpet_start(void)
{
    if (clock.acpi->hpet == 0)
        return false;
    clock.ref.tick_fs = hpet()[HPET_PERIOD];
    hpet()[HPET_CONFIG] = HPET_CONFIG_ON;
    return clock.ref.tick_fs != 0 && clock.ref.tick_fs <= HPET_PERIOD_MOST;
}

#define PM_TIMER_FS 279365115ull /* 3.579545 MHz */

static uint64_t pm_timer_read(void) { return x86_in32(clock.acpi->pm_timer); }

static bool pm_timer_start(void)
{
    clock.ref.mask = clock.acpi->pm_timer_32 ? UINT32_MAX : 0xffffff;
    return clock.acpi->pm_timer != 0;
}

#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE 0x61
#define PIT_FS 838095345ull /* 1.193182 MHz */

static uint64_t pit_read(void)
{
    uint32_t v;

    x86_out8(PIT_COMMAND, 0x80); /* latch channel 2 */
    v = x86_in8(PIT_CHANNEL2);
    return 0xffff - (v | (uint32_t)x86_in8(PIT_CHANNEL2) << 8);
}

#define PIT_OUT 0x20u

static bool pit_ended(void) { return x86_in8(PIT_GATE) & PIT_OUT; }

static bool pit_start(void)
{
    x86_out8(PIT_GATE, (uint8_t)((x86_in8(PIT_GATE) & ~2u) | 1u)); /* counting, silent */
    /* channel 2, both bytes, count down once */
    x86_out8(PIT_COMMAND, 0xb0);
    x86_out8(PIT_CHANNEL2, 0xff);
    x86_out8(PIT_CHANNEL2, 0xff);
    return true;
}

static const struct reference references[] = {
    { "HPET", hpet_start, hpet_read, nullptr, UINT32_MAX, 0 },
    { "ACPI PM timer", pm_timer_start, pm_timer_read, nullptr, 0, PM_TIMER_FS },
    { "PIT", pit_start, pit_read, pit_ended, 0xffff, PIT_FS },
};

#define MOVES_WITHIN 100000u /* reads */

static bool ref_moves(void)
{
    uint64_t start = clock.ref.read();

    for (uint32_t i = 0; i < MOVES_WITHIN; i++)
        if (clock.ref.read() != start)
            return true;
    return false;
}

/* ---- samples ---- */

#define READ_TRIES 16u

/*
 * A counter and the TSC at the same time: of a few tries the quickest, in case the machine was
 * interrupted.
 */
static struct reading read_with_tsc(uint64_t (*read)(void))
{
    struct reading best = {};
    uint64_t least = UINT64_MAX;

    for (uint32_t i = 0; i < READ_TRIES; i++) {
        uint64_t before = x86_rdtsc(), count = read(), took = x86_rdtsc() - before;

        if (took < least) {
            least = took;
            best = (struct reading){ count, before + took / 2 };
        }
    }
    return best;
}

/* The timer counts down. */
static uint64_t timer_read(void) { return UINT32_MAX - x86_apic_read(APIC_TIMER_CURRENT); }

static struct sample sample(void)
{
    return (struct sample){ .ref = read_with_tsc(clock.ref.read),
                            .timer = read_with_tsc(timer_read) };
}

static void first_sample(void)
{
    clock.ref.start();
    x86_apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
    clock.first = sample();
}

void clock_start(const struct acpi_found *acpi)
{
    clock.acpi = acpi;
    for (uint32_t i = 0; i < ARRAY_LEN(references); i++) {
        clock.ref = references[i];
        if (clock.ref.start() && ref_moves()) {
            first_sample();
            return;
        }
    }
    panic("clock: none of HPET, ACPI PM timer and PIT counts");
}

static uint64_t elapsed_ns(const struct sample *s)
{
    return x86_muldiv((s->ref.count - clock.first.ref.count) & clock.ref.mask, clock.ref.tick_fs,
                      1000000);
}

static bool is_lost(const struct sample *s)
{
    return s->timer.count == UINT32_MAX || (clock.ref.ended != nullptr && clock.ref.ended());
}

static void fill_page(uint64_t tsc_hz)
{
    if (clock.page != nullptr)
        *clock.page = (struct kozo_clock){ .base = x86.clock.base,
                                           .mult = x86.clock.mult,
                                           .shift = X86_CLOCK_SHIFT,
                                           .tsc_hz = tsc_hz };
}

static void set_rates(const struct sample *s, uint64_t wait_start)
{
    uint64_t ns = elapsed_ns(s);
    uint64_t tsc_hz = x86_muldiv(s->ref.tsc - clock.first.ref.tsc, NS_PER_S, ns);
    uint64_t timer_hz = x86_muldiv(s->timer.count - clock.first.timer.count, tsc_hz,
                                   s->timer.tsc - clock.first.timer.tsc);

    x86.clock.mult = x86_muldiv(NS_PER_S, 1ull << X86_CLOCK_SHIFT, tsc_hz);
    x86.clock.timer_mult = x86_muldiv(timer_hz, 1ull << X86_CLOCK_SHIFT, NS_PER_S);
    x86_apic_write(APIC_TIMER_INITIAL, 0);
    fill_page(tsc_hz);
    klog("clock: TSC %lu kHz, timer %lu kHz, by %s over %lu us; took %lu us", tsc_hz / 1000,
         timer_hz / 1000, clock.ref.name, ns / 1000,
         x86_muldiv(x86_rdtsc() - wait_start, 1000000, tsc_hz));
}

void x86_clock_settle(void)
{
    uint64_t wait_start = x86_rdtsc();
    struct sample s = sample();

    if (is_lost(&s)) {
        first_sample();
        s = sample();
    }
    while (elapsed_ns(&s) < SPAN_NS)
        s = sample();
    set_rates(&s, wait_start);
}

void clock_page(struct kozo_clock *page) { clock.page = page; }
