/* SPDX-License-Identifier: MIT */
/*
 * stubs.h - both sides of an IPC round trip, as a compiler would inline them at best.
 *
 * Owns:      the layout of struct exchange, which stubs.S uses by offset.
 * Spec:      docs/PERFORMANCE.md
 */
#pragma once

#define X_CAP 0
#define X_INFO 8
#define X_ERR 16
#define X_IN 24
#define X_OUT 88
#define X_BADGE 152

#ifndef __ASSEMBLER__
#include <kozo/abi.h>

struct exchange {
    uint64_t cap;  /* the Endpoint called */
    uint64_t info; /* in and out */
    uint64_t err;
    uint64_t in[KOZO_MSG_REGS];  /* words to send, for the stubs that load them */
    uint64_t out[KOZO_MSG_REGS]; /* the answer's, for those that store them */
    uint64_t badge;
};
static_assert(offsetof(struct exchange, info) == X_INFO && offsetof(struct exchange, err) == X_ERR);
static_assert(offsetof(struct exchange, in) == X_IN && offsetof(struct exchange, out) == X_OUT);
static_assert(offsetof(struct exchange, badge) == X_BADGE);

/*
 * Each returns the instructions counted, RDTSC and all else that stub_nothing has taken off by the
 * caller.
 */
uint32_t stub_nothing(struct exchange *x);
uint32_t stub_call_0w(struct exchange *x);   /* words stay what they are in the registers */
uint32_t stub_call_8w(struct exchange *x);   /* eight words from memory, eight back to it */
uint32_t stub_call_info(struct exchange *x); /* x->info says what is in the IPC buffer */

/* Servers: answer until a call fails; each returns that error. `arg` is the Endpoint. */
uint64_t stub_serve(uint64_t endpoint);           /* as it came */
uint64_t stub_serve_increment(uint64_t endpoint); /* one more in each word */
/* `info` back, *last one more */
uint64_t stub_serve_info(uint64_t endpoint, uint64_t info, uint64_t *last);

/* Yields `n` times, with STUB_YIELDS_LOOP instructions between two. */
void stub_yields(uint64_t n);
#define STUB_YIELDS_LOOP 2u
#endif
