/* SPDX-License-Identifier: MIT */
/*
 * steps.h - the demonstration's steps, by the names that hello reports and init waits for.
 *
 * Owns:      the names, and how much of the file is printed and read.
 * Not here:  what the steps must give (init/demo.h).
 */
#pragma once

#define STEP_BORN "capabilities"
#define STEP_GRANTED "read is granted"
#define STEP_CONTENTS "contents"
#define STEP_BOUNDED "no more rights"
#define STEP_DENIED "write is denied"
#define STEP_EXPIRED "lease is over"

#define STEP_PRINTS 4096u /* bytes of a longer file that are printed ... */
#define STEP_READS 65536u /* ... and that are read and hashed */
