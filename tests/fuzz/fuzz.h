/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the fuzz targets share. Each is one function that is fed bytes; libFuzzer's main
 * calls it, looks which code it reached, and makes up the next bytes.
 *
 * Not here:  how targets are built and run (scripts/kozo/fuzzing.py).
 * Spec:      docs/spec/testing.md
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What no input may make untrue. */
#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond);                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
