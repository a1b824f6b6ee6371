/* SPDX-License-Identifier: MIT */
/*
 * archive.h - the initrd, as init reads it.
 *
 * Owns:      i->archive, i->frames, i->index, i->manifest_text.
 * Not here:  what a sound archive is (kozo/cpio.h), the manifest's text (common/manifest.h).
 * Callers:   init.
 * Cost:      one pass over the archive's headers; look-ups are O(1).
 */
#pragma once

#include "init/init.h"

/* Maps the archive and indexes it. False: init has failed, and said why. */
bool archive_open(struct init *i);

/* A file of the archive; null when there is none, or it is no regular file. */
struct kozo_bytes archive_file(const struct init *i, struct kozo_str path);

/* What is there instead, as `no such file` or `a directory`, for messages. */
const char *archive_missing(const struct init *i, struct kozo_str path);

/* Reads the manifest, into memory that can be lent. False: init has failed, and said why. */
bool archive_read_manifest(struct init *i);
