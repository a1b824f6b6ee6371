/* SPDX-License-Identifier: MIT */
/*
 * grants.h - what programs of the shell's were granted by policy, in the shell's name.
 *
 * A program that is given `policy` gets a copy that is told apart from the shell's own, not from that
 * of another program. The shell gives it to one program at a time, so at a program's end whatever was
 * granted by such copies was that program's.
 *
 * Owns:      nothing.
 * Not here:  the commands about leases (policy.c).
 * Callers:   services/shell.
 * Cost:      a call to policy for each lease there is.
 * Spec:      docs/spec/services.md
 */
#pragma once

/* Ends all leases of programs of the shell's. */
void grants_release(void);
