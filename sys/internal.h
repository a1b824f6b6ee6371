/* SPDX-License-Identifier: MIT */
/*
 * internal.h - what the files of kozo-sys share and programs do not see.
 *
 * Owns:      nothing.
 * Callers:   sys/.
 */
#pragma once

#include <kozo/abi.h>
#include <kozo/handle.h>

/* The head of the start page or boot information; set before anything else runs. */
extern const struct kozo_start_head *kozo_head;

/* Called once by crt0.S; sets up what the start page describes, then runs main. */
[[noreturn]] void kozo_start_main(const struct kozo_start_head *head);

/* Tell the allocators what there is. */
void kozo_slots_init(struct kozo_range free);
void kozo_window_init(uint64_t mixed);

/* Symbols of user.ld. */
extern char kozo_image[], kozo_rodata_end[], kozo_text[], kozo_text_end[], kozo_data[],
    kozo_data_end[];

/*
 * For tests, which put everything back after each case: slots allocated since are emptied and
 * freed, addresses forgotten.
 */
void kozo_slots_mark(void);
void kozo_slots_drop_new(void);
void kozo_window_forget(void);
void kozo_workers_forget(void);

/* The list of tests, from user.ld. */
struct kozo_test_case;
extern const struct kozo_test_case *const kozo_tests[], *const kozo_tests_end[];
