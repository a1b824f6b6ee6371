/* SPDX-License-Identifier: MIT */
/*
 * symbols.h - which function of a program an address lies in, by the symbol table of its ELF image.
 *
 * Owns:      nothing.
 * Not here:  loading (kozo/elf.h): this looks at what loading ignores, and believes none of it.
 * Callers:   report.c, and unit tests, which feed it malformed images; no system calls.
 * Cost:      the number of symbols.
 * Spec:      docs/spec/faults.md
 */
#pragma once

#include <kozo/msg.h>

#define SYMBOL_NAME 63u /* bytes of a name that are told, at most */

struct symbol {
    struct kozo_str name; /* in the image; printing it needs text_printable. Empty = none is known */
    uint64_t offset;      /* of the address from the function's beginning */
};

/*
 * The function that `address` lies in; one of unknown size reaches to the next. Of an image that is
 * no ELF image, has no symbols or contradicts itself: none.
 */
struct symbol symbols_find(const void *image, uint64_t bytes, uint64_t address);
