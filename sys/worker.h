/* SPDX-License-Identifier: MIT */
/*
 * worker.h - building a thread's stack and buffer in any space, for worker.c and test.c.
 *
 * Owns:      nothing.
 * Callers:   sys/.
 */
#pragma once

#include "build.h"

#include <kozo/worker.h>

enum kozo_err kozo_worker_build(struct kozo_worker *w, const struct kozo_worker_options *o,
                                struct kozo_space space, bool own);
