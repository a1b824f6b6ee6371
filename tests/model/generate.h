/* SPDX-License-Identifier: MIT */
/*
 * generate.h - choosing operations: sensible ones mostly, with a liking for boundaries.
 *
 * Looks at the model to know what the running thread has; what it chooses is plain numbers.
 *
 * Owns:      the operations planned ahead.
 * Not here:  doing them (lockstep.h).
 */
#pragma once

#include "dice.h"
#include "op.h"

/* Plan the start of a world: the first thread makes objects, other threads, and starts them. */
void generate_begin(struct dice *d);
/* The next operation; false when the world has come to an end: nobody runs, and nothing will wake
 * anybody. */
bool generate_next(struct dice *d, struct op *op);

/* plan.c: operations one after another. */
void plan_clear(void);
void plan_add(struct op op);
bool plan_next(struct op *op);
/* The first thread makes one more CNode that takes several turns to destroy. */
void plan_doomed(struct op *op, uint64_t slot);
void plan_world(struct dice *d, bool quarrel);
