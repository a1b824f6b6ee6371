/* SPDX-License-Identifier: MIT */
/*
 * nmi.h - a word from outside that a service waits for: an NMI, which the test has the monitor send
 * when all is as it must be. A time to sleep would do where the machine is quick enough.
 *
 * The kernel's log tells of it, so the service has `kernel-log` under capabilities.
 */
#pragma once

#include <kozo/error.h>
#include <kozo/log.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/system.h>
#include <kozo/time.h>

static uint64_t nmi_position; /* in the kernel's log */

/* Whether the log tells of one from that position on, which is then the end. */
static inline bool nmi_came(void)
{
    struct system_kernel_req req = { .position = nmi_position };
    struct system_kernel_rep rep;
    bool found = false;
    struct kozo_msg m;

    kozo_msg_init(&m);
    do {
        const char *text;

        if (system_call_kernel(kozo_cap_endpoint("kernel-log"), &m, &req, &rep) != KOZO_OK)
            kozo_fatal("no kernel's log");
        text = (const char *)rep.text.at;
        for (uint64_t i = 0; i + 5 <= rep.text.len; i++)
            found = found || memcmp(text + i, "nmi: ", 5) == 0;
        req.position = nmi_position = rep.next;
    } while (rep.text.len > 0);
    return found;
}

/* What came before, in an earlier life, is not meant. */
static inline void nmi_begin(void)
{
    if (kozo_cap("kernel-log") != 0)
        (void)nmi_came();
}

static inline void nmi_await(void)
{
    while (!nmi_came())
        (void)kozo_sleep(10 * KOZO_MS);
}
