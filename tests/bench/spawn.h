/* SPDX-License-Identifier: MIT */
/*
 * spawn.h - processes of bin/child.
 */
#pragma once

#include "bench.h"

#include <kozo/spawn.h>

/* Its image, from the archive. */
struct kozo_bytes child_image(void);

/* How it is spawned: with the Endpoint `ep` as its "ep", badged with `badge`. */
struct child {
    struct kozo_bytes image;
    struct kozo_untyped memory;
    struct kozo_pool pool;
    struct kozo_endpoint ep;
    uint64_t rights, badge;
    const char *argument; /* "tell": sends when it began; "serve": answers */
};

/* Spawns one, more urgent than its maker, with 4 pages of stack and `heap_pages`; *p is it. */
enum kozo_err child_spawn(const struct child *c, uint32_t heap_pages, struct kozo_process *p);
