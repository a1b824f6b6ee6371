/* SPDX-License-Identifier: MIT */
/*
 * file.h - the protocol `fs`, and files as plain calls. A file is an Endpoint capability.
 *
 * Owns:      struct fs_*, fs_call_*, fs_dispatch (made from proto/fs.def), the user rights of a
 *            file.
 * Not here:  where a file's capability comes from: kozo_request (policy.h), or open below a
 *            directory one has.
 * Spec:      docs/spec/services.md
 */
#pragma once

#define KOZO_PROTO fs
#define KOZO_PROTO_UPPER FS
#define KOZO_PROTO_TABLE <kozo/proto/fs.def>
#include <kozo/make.h>

/* User rights of a file's capability. */
#define KOZO_FILE_READ 1u
#define KOZO_FILE_WRITE 2u
#define KOZO_FILE_LIST 4u
#define KOZO_FILE_CREATE 8u
#define KOZO_FILE_REMOVE 16u

enum kozo_file_type : uint64_t {
    KOZO_FILE_REGULAR = 1,
    KOZO_FILE_DIRECTORY,
    KOZO_FILE_SYMLINK,
    KOZO_FILE_OTHER, /* a device, pipe or socket: listed, never opened */
};

#define KOZO_FILE_CHUNK 448u /* bytes one message reads */

struct [[nodiscard]] kozo_file {
    struct kozo_endpoint cap;
    uint64_t size;
    enum kozo_file_type type;
    enum kozo_err err;
};

/*
 * Opens `path` below the directory `dir` with at most `rights`; the capability gets a slot of its
 * own. Needs WRITE and GRANT on `dir`: the answer carries a capability. Errors: NOT_FOUND; NAME
 * malformed or over 255 bytes; RIGHTS `dir` has fewer; LIMIT no slot is free; GONE the capability
 * did not arrive, for want of GRANT perhaps; those of kozo_call.
 */
struct kozo_file kozo_file_open(struct kozo_endpoint dir, const char *path, uint64_t rights);

/*
 * Reads up to `len` bytes from `offset` on into `buf`, in as many messages as it takes. The value
 * is the number of bytes, fewer only at the end of the file. Needs user right READ. Errors: RIGHTS;
 * TYPE it is a directory; those of kozo_call: EMPTY once the capability has been taken back. Bytes
 * read before an error are lost.
 */
struct kozo_res kozo_file_read(struct kozo_endpoint file, uint64_t offset, void *buf, size_t len);

/* Tells size and type. Errors: those of kozo_call. */
struct kozo_file kozo_file_stat(struct kozo_endpoint file);

struct [[nodiscard]] kozo_dirent {
    uint64_t next; /* cursor of the entry after this one */
    uint64_t size;
    enum kozo_file_type type;
    enum kozo_err err; /* NOT_FOUND after the last */
    char name[256];
};

/*
 * The directory's entry at `cursor` (0 = the first). Needs user right LIST. Errors: NOT_FOUND; TYPE
 * no directory; RIGHTS.
 */
enum kozo_err kozo_file_list(struct kozo_endpoint dir, uint64_t cursor, struct kozo_dirent *out);

/*
 * Tells the server, deletes the capability and frees its slot. Errors: those of kozo_call; the slot
 * is free all the same.
 */
enum kozo_err kozo_file_close(struct kozo_endpoint file);
