/* SPDX-License-Identifier: MIT */
/*
 * test_make.h - what a case works with, between test.c, which runs cases, and test_make.c.
 *
 * Owns:      nothing.
 * Callers:   sys/test.c
 */
#pragma once

#include <kozo/test.h>

/* Once: choose the memory cases are made of. False when there is none. */
bool kozo_test_make_init(const struct kozo_boot_info *b);

/* Around each case: remember what there is, and take away what came since. */
void kozo_test_make_begin(void);
void kozo_test_make_end(void);
