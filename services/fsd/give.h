/* SPDX-License-Identifier: MIT */
/*
 * give.h - makes the capabilities of files, each from the slot of its origin.
 *
 * Owns:      a CNode with a slot for each origin: a copy of the port, of a lease while it is in use;
 *            the slot of the capability that goes with an answer.
 * Not here:  which origin, rights and badge (origin.h, serve.h).
 * Callers:   fsd; its unit tests have slots of their own.
 * Spec:      docs/spec/files.md
 */
#pragma once

#include "fsd/origin.h"

extern const struct origin_ops give_slots;
/* Makes what give_slots works with: 16 KiB. */
enum kozo_err give_begin(struct kozo_endpoint port);
