/* SPDX-License-Identifier: MIT */
/*
 * report.h - what a developer needs to know of a program that a fault stopped: registers, and who
 * called whom.
 *
 * Owns:      struct report; while stacks are read, one page of the caller's addresses.
 * Not here:  the headline (fault.h), how frames are followed (trace.h), what becomes of the program.
 * Callers:   who supervises programs: init, the shell. report_walk while the program still is there.
 * Cost:      report_walk: four system calls for each page of the stack that frames lie in;
 *            report_tell: a pass over the symbols for each frame.
 * Spec:      docs/spec/faults.md
 */
#pragma once

#include <kozo/msg.h>
#include <kozo/spawn.h>

#include "common/place.h"
#include "common/trace.h"

struct report {
    uint64_t word[KOZO_MSG_REGS + KOZO_REG_COUNT]; /* the fault message */
    bool registers;                                /* it had them */
    struct kozo_bytes image;                       /* the program's, for names */
    uint64_t to[TRACE_FRAMES];
    uint32_t n; /* frames */
};

/* The Frames of a stack. */
struct report_stack {
    struct kozo_cnode keep; /* holds the pages, ... */
    uint64_t first;         /* ... the lowest in this slot */
    uint64_t begin, end;    /* its addresses, as its thread saw them */
};

/* A line of the report, without its end. */
typedef void report_line(const char *text);

/* What the address space of a program that kozo_spawn made consists of. */
struct place_map report_map(struct kozo_str name, const struct kozo_process *p,
                            struct kozo_bytes image);
/* The stack of its first thread. */
struct report_stack report_first_stack(const struct kozo_process *p);

/* Of the fault in *m, a fault message with registers or without; of the frames just the first. */
struct report report_begin(const struct kozo_msg *m, struct kozo_bytes image);
/*
 * Finds the frames on that stack, as many as can be read: maps its pages one by one, read-only. Of
 * what the slots of `keep` hold nothing is believed; nobody may take it back meanwhile. Needs a
 * free slot and READ on keep; nothing stays mapped.
 */
void report_walk(struct report *r, const struct report_stack *stack);
/* Tells registers and frames, in lines that begin with two blanks. */
void report_tell(const struct report *r, report_line *line);
