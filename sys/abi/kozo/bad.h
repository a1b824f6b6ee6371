/* SPDX-License-Identifier: MIT */
/*
 * bad.h - which field of a malformed file is malformed, and how.
 *
 * Owns:      struct kozo_bad, as the parsers of ELF and CPIO fill it when they return
 *            KOZO_ERR_FORMAT or KOZO_ERR_VERSION; how its value is written.
 * Not here:  what is wrong with which format (cpio.h, elf.h).
 * Callers:   the kernel's boot, kozo-sys; whoever reports the error prints the text, then `want`.
 * Cost:      O(text).
 * Spec:      docs/spec/boot.md
 */
#pragma once

#include <kozo/abi.h>

/* How the value is told. */
enum kozo_bad_form : uint8_t {
    KOZO_BAD_NUMBER,
    KOZO_BAD_OCTAL,
    KOZO_BAD_VERSION, /* major << 32 | minor */
    KOZO_BAD_BYTES,   /* `text` */
    KOZO_BAD_CLASH,   /* `text`, which cannot be beside the entry at byte `value` */
};

struct kozo_bad {
    const char *field; /* its name, as its specification has it */
    const char *want;  /* what would have been accepted */
    uint64_t value;    /* what was found */
    uint64_t at;       /* byte of the file the field begins at */
    const char *text;  /* what was found, in the file itself; not ended by a NUL */
    uint64_t text_len;
    const char *entry; /* the archive's entry with the field, in the archive; null: none is known */
    uint64_t entry_len;
    enum kozo_bad_form form;
};

#define KOZO_BAD_TEXT 160u /* bytes that hold every text, with its NUL */

/*
 * Writes `[ENTRY: ]FIELD at byte N is VALUE` to to[0 .. KOZO_BAD_TEXT), ended by a NUL. Bytes of the
 * file are shown as printable ASCII or \xNN; long ones are cut, which three dots show. Returns `to`.
 */
const char *kozo_bad_text(const struct kozo_bad *bad, char to[KOZO_BAD_TEXT]);
