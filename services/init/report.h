/* SPDX-License-Identifier: MIT */
/*
 * report.h - the report of a service that a fault stopped.
 *
 * Owns:      finding the stack of the thread that faulted.
 * Not here:  what is in a report (common/report.h), the headline (common/fault.h), what becomes of
 *            the service (ends.c).
 * Callers:   watch.c, before the service is ended.
 * Cost:      that of common/report.h; for a further thread also the slots of the service.
 * Spec:      docs/spec/faults.md
 */
#pragma once

#include <kozo/msg.h>

#include "init/init.h"

/* Prints the report of the fault in *m, in lines that begin with two blanks. */
void report_fault(const struct init *i, const struct service *s, const struct kozo_msg *m);
