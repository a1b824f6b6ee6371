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
void kozo_window_init(uint64_t begin, uint64_t end);

/* Symbols of user.ld. */
extern char kozo_image[], kozo_text[], kozo_text_end[], kozo_data[], kozo_data_end[], kozo_image_end[];
extern char kozo_init_stack_top[]; /* init_stack.S */
