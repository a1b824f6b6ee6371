/* SPDX-License-Identifier: MIT */
/*
 * bad.h - which field of a malformed file is malformed, and how.
 *
 * Owns:      struct kozo_bad, as the parsers of ELF and CPIO fill it when they return
 *            KOZO_ERR_FORMAT.
 * Not here:  what is wrong with which format (cpio.h, elf.h).
 * Callers:   the kernel's boot, kozo-sys; whoever reports the error prints all four.
 * Cost:      none.
 * Spec:      docs/spec/boot.md
 */
#pragma once

#include <kozo/abi.h>

struct kozo_bad {
    const char *field; /* its name, as its specification has it */
    const char *want;  /* what would have been accepted */
    uint64_t value;    /* what was found */
    uint64_t at;       /* byte of the file the field begins at */
};
