/* SPDX-License-Identifier: MIT */
/*
 * service.h - checks of a test program that is a service: told in the log, for the test that reads
 * the console.
 *
 * Owns:      how many of them went wrong.
 * Callers:   test programs that a test puts into the manifest.
 */
#pragma once

#include <kozo/print.h>

#include <stdint.h>

static uint64_t wrong;

static inline void check(const char *name, uint64_t got, uint64_t want)
{
    if (got == want) {
        kozo_printf("ok %s\n", name);
        return;
    }
    wrong++;
    kozo_printf("wrong %s: got %llu, want %llu\n", name, (unsigned long long)got,
                (unsigned long long)want);
}
