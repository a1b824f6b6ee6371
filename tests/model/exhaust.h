/* SPDX-License-Identifier: MIT */
/*
 * exhaust.h - all sequences of capability operations in a small world: two threads, two CNodes, six
 * slots.
 *
 * A state that was reached before, by whatever sequence of at most as many operations, is not gone
 * on from again; how many sequences the transitions taken stand for is counted.
 */
#pragma once

#include "script.h"

struct exhaust_result {
    uint64_t states, transitions;
    double sequences;
};

/* All sequences of `depth` operations. The script of the one being tried is kept in *path, for when
 * it fails. */
struct exhaust_result exhaust_run(uint32_t depth, struct script *path);
