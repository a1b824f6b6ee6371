/* SPDX-License-Identifier: MIT */
#include <kozo/time.h>

#include "internal.h"

#include <kozo/syscall.h>

#include <stdckdint.h>

static uint64_t read_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

uint64_t kozo_now(void)
{
    if (kozo_head == nullptr || kozo_head->clock == 0)
        return 0;

    const struct kozo_clock *c = (const struct kozo_clock *)kozo_head->clock;
    unsigned __int128 product = (unsigned __int128)(read_tsc() - c->base) * c->mult;

    return (uint64_t)(product >> c->shift);
}

enum kozo_err kozo_sleep_until(uint64_t deadline)
{
    struct kozo_res r;

    /* Deadline 0 would mean: do not block. That is what it says, too. */
    r = kozo_wait_until((struct kozo_notification){ 0 }, deadline);
    return r.err == KOZO_ERR_TIMEOUT ? KOZO_OK : r.err;
}

enum kozo_err kozo_sleep(uint64_t ns)
{
    uint64_t deadline;

    if (ckd_add(&deadline, kozo_now(), ns))
        deadline = UINT64_MAX;
    return kozo_sleep_until(deadline);
}
