/* SPDX-License-Identifier: MIT */
/*
 * origins.h - slots of origins as fsd's own, without a kernel.
 *
 * Owns:      what was made and revoked of each origin.
 * Not here:  tests (test_svc_origin.c and others of fsd).
 */
#pragma once

#include "fsd/origin.h"

extern const struct origin_ops fake_slots;
extern uint32_t revokes[ORIGINS]; /* of each */
extern bool lost;                 /* what is made goes with no answer */
extern enum kozo_err cannot_give; /* why nothing can be made; OK: it can */

/* As for a server that begins. */
void fake_slots_begin(void);
