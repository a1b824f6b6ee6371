/* SPDX-License-Identifier: MIT */
/*
 * data.h - the bytes of the memory filesystem's files.
 *
 * A file is a list of blocks, some of them holes, which read as zeros and cost nothing. In a block
 * all bytes behind the file's end are zero. A block is charged to the account by which it came into
 * the file, and stays so when it is overwritten.
 *
 * A write either happens as a whole, or returns an error and has changed nothing. Where the bytes
 * come from memory that may fail while it is read (a client's), the write is prepared in blocks
 * beside the file, and these take the place of the file's own at the end: data_stage, data_commit.
 *
 * Owns:      the blocks of nodes; their size.
 * Not here:  the tree (ram.h), messages (serve.h).
 * Callers:   fsd and its unit tests; no system calls.
 * Cost:      the bytes, and at most 12 KiB more: what lies around them in their first and last block,
 *            or zeros in new ones, and an index block. Shorter: up to 4 KiB of zeros, and the blocks
 *            given back, at most 1,025, of which only the index is looked at. Longer: O(1).
 * Spec:      docs/spec/files.md
 */
#pragma once

#include "fsd/ram.h"

#define DATA_MAX 65536u /* bytes at once */
#define DATA_SPANS STORE_RESERVE

struct span {
    uint8_t *at;
    uint64_t len;
};

/*
 * Where up to DATA_MAX bytes from `offset` on lie, in order; fewer at the end of the file. Returns
 * the number of spans. Holes are a page of zeros, which nobody may write to.
 */
uint32_t data_spans(const struct ram *r, uint32_t node, uint64_t offset, uint64_t len,
                    struct span span[DATA_SPANS]);

/* Writes at most DATA_MAX bytes. Errors: LIMIT the file's size, or the account; FULL. */
enum kozo_err data_write(struct ram *r, uint32_t node, uint8_t account, uint64_t offset,
                         struct kozo_bytes bytes);

/* Errors: LIMIT. */
enum kozo_err data_truncate(struct ram *r, uint32_t node, uint64_t size);
/* Gives all blocks back; the size is 0. */
void data_free(struct ram *r, uint32_t node);

/* A write that is being prepared: fill the spans, then commit or abort. */
struct data_stage {
    uint32_t node;
    uint8_t account;
    uint64_t offset, len;
    uint32_t count; /* of spans, and of blocks */
    struct span span[DATA_SPANS];
    uint32_t block[DATA_SPANS];
};
/* Prepares a write of 1 to DATA_MAX bytes. Errors: those of data_write; then there is no stage. */
enum kozo_err data_stage(struct ram *r, struct data_stage *st, uint32_t node, uint8_t account,
                         uint64_t offset, uint64_t len);
void data_commit(struct ram *r, struct data_stage *st);
void data_abort(struct ram *r, struct data_stage *st);
