/* SPDX-License-Identifier: MIT */
/*
 * system.h - what init tells of the services and of the machine, by the protocol `system`.
 *
 * Owns:      who waits for READY, and who has the commands of the command line.
 * Not here:  what threads do (threads.h), ending and restarting (ends.h).
 * Callers:   watch.c, main.c.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include <kozo/msg.h>

#include "init/init.h"

/* A message is of this protocol; serves it. False: it is not to be answered now. */
bool system_is(const struct kozo_msg *m);
bool system_message(struct init *i, struct kozo_msg *m);
/* Answers all who wait for READY. */
void system_release(struct init *i);
