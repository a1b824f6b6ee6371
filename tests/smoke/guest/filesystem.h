/* SPDX-License-Identifier: MIT */
/*
 * filesystem.h - fsd as a process of a test program, supervised and called by it.
 *
 * Owns:      the process, its Endpoint and what supervises it.
 * Callers:   test programs and the benchmark that run in init's place.
 */
#pragma once

#include <kozo/file.h>
#include <kozo/test.h>

struct filesystem {
    struct kozo_endpoint log, port;
    struct kozo_notification ready;
    struct kozo_untyped memory;
    struct kozo_pool pool;
    struct kozo_process process;
    bool ended;      /* it exited or faulted */
    uint32_t lines;  /* it wrote to its log about what it denied ... */
    uint64_t denied; /* requests, as these lines say */
    char said[128];  /* the first of them, cut */
};
extern struct filesystem fsd;

/* Starts it, with these arguments, and waits until it is ready. Else false: the case failed. */
bool filesystem_start(int argc, const char *const *argv);
/* Ends it, and starts it again with an Endpoint of its own, as init does. */
bool filesystem_restart(void);
/* The root, as init gives it to the client with this number. */
struct kozo_endpoint filesystem_client(uint32_t number);
