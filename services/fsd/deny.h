/* SPDX-License-Identifier: MIT */
/*
 * deny.h - fsd says what it refused: who asked which right to which file, and what to do about it.
 *
 * Owns:      the words of it; the clear name of a file.
 * Not here:  how often it is told (common/denial.h), refusing (serve.h).
 * Callers:   fsd and its unit tests; no system calls.
 * Spec:      docs/spec/files.md
 */
#pragma once

#include "common/denial.h"
#include "fsd/serve.h"

#define FILE_NAME_BYTES 512u /* of a clear name, its NUL included; a longer one is cut */

/* `fs:/ram/dir/name`, of a file and a path below it; returns `to`. */
const char *file_name(char to[FILE_NAME_BYTES], const struct fs_server *s, struct file file,
                      const char *path);

/*
 * Tells of a request that ended with `err`, if that is a refusal: RIGHTS, or LIMIT. `m` says who,
 * s->asked what. `names` may be null: then nobody has a name.
 */
void deny(struct denials *d, const struct manifest *names, const struct fs_server *s,
          const struct kozo_msg *m, enum kozo_err err, uint64_t now, denial_sink *sink);
