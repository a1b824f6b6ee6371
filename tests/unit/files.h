/* SPDX-License-Identifier: MIT */
/*
 * files.h - a server of the protocol fs with an empty archive and a memory filesystem, and its
 * operations as calls.
 *
 * Owns:      the one server; who calls it, with which rights; Frames that are memory of this
 *            process.
 * Not here:  tests (test_svc_ram.c, test_svc_data.c, test_svc_files.c).
 */
#pragma once

#include "unit.h"

#include "common/rights.h"
#include "fsd/serve.h"
#include "origins.h"

#define EVERYTHING 0xffu
#define BLOCKS 96u
#define NODES 64u
#define SHARE_BLOCKS 40u
#define SHARE_NODES 24u
#define CLIENT identity_badge(0, 1) /* the first service */
#define OTHER identity_badge(1, 1)  /* the second */
#define KIB 1024ull

extern struct fs_server server;
extern uint64_t speaker; /* whose capability is used; at first CLIENT's */
extern uint8_t may;      /* its user rights; at first all */

/* Frame i of a message is this memory; null: no Frame. */
extern struct lent frames[KOZO_FILE_FRAMES];
extern bool writable_asked;
extern uint32_t copies_left; /* until the memory vanishes; UINT32_MAX: it stays */

void serve_sized(uint32_t store, uint32_t nodes, uint32_t share, uint32_t share_nodes);
void serve_usual(void);

/* What the last call answered. */
extern uint64_t opened; /* the badge of the capability */
extern struct fs_write_rep written;
extern struct kozo_bytes got;
extern struct fs_stat_rep status;
extern uint64_t moved;

struct kozo_msg from(uint64_t badge);
enum kozo_err open_path(const char *path, uint64_t rights);
enum kozo_err make_str(struct kozo_str path, uint64_t type);
enum kozo_err make(const char *path);
enum kozo_err make_dir(const char *path);
enum kozo_err remove_path(const char *path);
enum kozo_err rename_path(const char *path, const char *to);
enum kozo_err write_at(uint64_t file, uint64_t offset, const void *bytes, uint64_t len);
enum kozo_err truncate_to(uint64_t file, uint64_t size);
enum kozo_err read_at(uint64_t file, uint64_t offset, uint64_t len);
enum kozo_err stat_of(uint64_t file);
struct fs_usage_rep usage(uint64_t file);
/* With `count` Frames. */
enum kozo_err bulk(bool write, uint64_t file, uint64_t offset, uint64_t len, uint64_t at,
                   unsigned count);

/* Every block and node is free, or in one file and on one account, and the tree is one. */
void check_all(void);
