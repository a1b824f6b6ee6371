/* SPDX-License-Identifier: MIT */
/*
 * system.h - what init tells of the services and of the machine, by the protocol `system`.
 *
 * Owns:      who waits for READY.
 * Callers:   watch.c, main.c.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include <kozo/msg.h>

#include "init/init.h"

/* A message is of this protocol; serves it. False: it is not to be answered now. */
bool system_is(const struct kozo_msg *m);
bool system_message(struct init *i, struct kozo_msg *m);
/* Answers who waits for READY. */
void system_release(void);
