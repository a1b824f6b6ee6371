/* SPDX-License-Identifier: MIT */
/*
 * bytes.h - the operations of the protocol fs that move bytes: by message, and through Frames.
 *
 * Owns:      nothing.
 * Not here:  handles and names (serve.h), how Frames are reached (lend.h).
 * Callers:   serve.c.
 * Cost:      the bytes, at most KOZO_FILE_BULK.
 * Spec:      docs/spec/files.md
 */
#pragma once

#include "fsd/serve.h"

enum kozo_err serve_read(struct fs_server *s, const struct kozo_msg *m,
                         const struct fs_read_req *req, struct fs_read_rep *rep);
enum kozo_err serve_write(struct fs_server *s, const struct kozo_msg *m,
                          const struct fs_write_req *req, struct fs_write_rep *rep);
enum kozo_err serve_truncate(struct fs_server *s, const struct kozo_msg *m,
                             const struct fs_truncate_req *req, struct fs_truncate_rep *rep);
enum kozo_err serve_read_frames(struct fs_server *s, const struct kozo_msg *m,
                                const struct fs_read_frames_req *req,
                                struct fs_read_frames_rep *rep);
enum kozo_err serve_write_frames(struct fs_server *s, const struct kozo_msg *m,
                                 const struct fs_write_frames_req *req,
                                 struct fs_write_frames_rep *rep);
