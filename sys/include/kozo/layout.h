/* SPDX-License-Identifier: MIT */
/*
 * layout.h - where things lie in the address space of a program that kozo-sys made.
 *
 * Owns:      the numbers; user.ld has its own copy of the first.
 * Not here:  init's space, which the kernel lays out: its image is at the same place, the rest
 *            follows the image.
 * Spec:      docs/spec/memory.md
 *
 *   0x0000'0020'0000  start page, clock page, IPC buffer, guard page, first thread's stack
 *   0x0000'0040'0000  image, then (after a guard page) the heap
 *   0x0000'4000'0000  further threads: one 64 KiB part each: IPC buffer page, guard page, stack
 *   0x0001'0000'0000  what the program maps itself: 4 KiB Frames,
 *   0x0040'0000'0000  2 MiB Frames,
 *   0x0080'0000'0000  pieces of memory made of both
 *
 * These three lie apart because a table of small pages, once there, keeps a large one out.
 */
#pragma once

#include <kozo/abi.h>

/* init's stack, from its boot information on. */
#define KOZO_LAYOUT_INIT_STACK 0x4000ull
#define KOZO_LAYOUT_INIT_STACK_BYTES 0x10000ull

#define KOZO_LAYOUT_START 0x200000ull
#define KOZO_LAYOUT_CLOCK 0x201000ull
#define KOZO_LAYOUT_BUFFER 0x202000ull
#define KOZO_LAYOUT_STACK 0x204000ull /* the page below is the guard */
#define KOZO_LAYOUT_STACK_END 0x400000ull
#define KOZO_LAYOUT_IMAGE 0x400000ull
#define KOZO_LAYOUT_IMAGE_END 0x40000000ull
#define KOZO_LAYOUT_THREADS 0x40000000ull
#define KOZO_LAYOUT_THREADS_END 0x80000000ull
#define KOZO_LAYOUT_THREAD_BYTES 0x10000ull
#define KOZO_LAYOUT_THREAD_STACK 0x2000ull /* in it: below is a guard page, and its IPC buffer's */
#define KOZO_LAYOUT_SMALL 0x100000000ull
#define KOZO_LAYOUT_LARGE 0x4000000000ull
#define KOZO_LAYOUT_MIXED 0x8000000000ull
#define KOZO_LAYOUT_MIXED_END 0x10000000000ull

static_assert(KOZO_LAYOUT_THREADS % KOZO_LAYOUT_THREAD_BYTES == 0);
static_assert(KOZO_LAYOUT_STACK_END <= KOZO_LAYOUT_IMAGE);
