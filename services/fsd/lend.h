/* SPDX-License-Identifier: MIT */
/*
 * lend.h - memory that a client lends for one request.
 *
 * It can vanish at any time, also in the middle of a copy: its owner revokes the Frame. So nobody
 * touches it but `copy`, which survives that.
 *
 * Owns:      how Frames that came with a request are reached.
 * Not here:  which bytes go where (bytes.h), deleting the capabilities after the answer (main.c).
 * Callers:   fsd; its unit tests have lenders of their own.
 * Spec:      docs/spec/files.md
 */
#pragma once

#include <kozo/file.h>

struct lent {
    uint8_t *at;
    uint64_t len;
};

struct copy {
    uint8_t *to;
    const uint8_t *from;
    uint64_t len;
};
#define LEND_COPIES 24u /* 17 blocks, cut at 2 borders between Frames */

struct lend_ops {
    /*
     * Maps the Frame that came in `slot` as number i of a request, to be written to as well if
     * `writable`. Errors: EMPTY it was taken back already; KIND it is no Frame of RAM; RIGHTS;
     * what mapping it says.
     */
    enum kozo_err (*map)(unsigned i, kozo_cptr slot, bool writable, struct lent *out);
    /* False when memory that was lent vanished: then any part of it is done. */
    bool (*copy)(const struct copy *list, uint32_t count);
};

extern const struct lend_ops lend_frames;
/* Makes what lend_frames works with. */
enum kozo_err lend_begin(void);
