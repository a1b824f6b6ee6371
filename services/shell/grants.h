/* SPDX-License-Identifier: MIT */
/*
 * grants.h - what programs of the shell's were granted by policy, in the shell's name.
 *
 * A program that is given `policy` asks as the shell: policy cannot tell the two apart. The shell gives
 * what it was granted itself back at the end of each command, and gives `policy` to one program at a
 * time, so at a program's end whatever it holds by a lease was that program's.
 *
 * Owns:      nothing.
 * Not here:  the commands about leases (policy.c).
 * Callers:   services/shell.
 * Cost:      a call to policy for each lease there is.
 * Spec:      docs/spec/services.md
 */
#pragma once

/* Ends all leases of the shell's. */
void grants_release(void);
