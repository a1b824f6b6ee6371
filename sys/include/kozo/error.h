/* SPDX-License-Identifier: MIT */
/*
 * error.h - names and texts of the ABI's numbers, from its tables.
 *
 * Owns:      nothing; every string is constant. A number that no table has is "?".
 * Spec:      docs/spec/abi.md
 */
#pragma once

#include <kozo/abi.h>

/* "NOMEM", and "not enough memory in this Untyped or page-table pool". */
const char *kozo_err_name(enum kozo_err err);
const char *kozo_err_text(enum kozo_err err);

/* "Endpoint". */
const char *kozo_kind_name(enum kozo_kind kind);

/* "PAGE", and "page fault". */
const char *kozo_fault_name(uint64_t fault);
const char *kozo_fault_text(uint64_t fault);

/* "reply_recv". */
const char *kozo_syscall_name(uint64_t nr);
