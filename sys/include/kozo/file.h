/* SPDX-License-Identifier: MIT */
/*
 * file.h - the protocol `fs`, and files as plain calls. A file is an Endpoint capability.
 *
 * Owns:      struct fs_*, fs_call_*, fs_dispatch (made from proto/fs.def), the user rights of a
 *            file.
 * Not here:  where a file's capability comes from: kozo_request (policy.h), or open below a
 *            directory one has.
 * Spec:      docs/spec/files.md
 *
 * Paths are relative to a directory's capability, in their one spelling (`etc/motd`): UTF-8, no
 * empty part, no `.` or `..`, no control characters, at most KOZO_FILE_PATH bytes.
 *
 * Errors that any call may return, and that are not repeated below: those of kozo_call (EMPTY: the
 * capability was taken back); STALE the file was removed, or its server began anew; RIGHTS the
 * capability used lacks a user right; TYPE the file is of another type than the call needs; and
 * with a path also NAME it is malformed or too long; NOT_FOUND. A call that changes files and
 * returns an error has changed nothing, where it says nothing else.
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
#define KOZO_FILE_ACCOUNT 128u /* say whose account pays, end a lease; opening never gives it */

enum kozo_file_type : uint64_t {
    KOZO_FILE_REGULAR = 1,
    KOZO_FILE_DIRECTORY,
    KOZO_FILE_SYMLINK,
    KOZO_FILE_OTHER, /* a device, pipe or socket: listed, never opened */
};

#define KOZO_FILE_CHUNK 448u       /* bytes one message reads or writes */
#define KOZO_FILE_BULK 65536u      /* bytes one message reads or writes through Frames */
#define KOZO_FILE_FRAMES 3u        /* Frames one message lends */
#define KOZO_FILE_PATH 255u        /* bytes of a path */
#define KOZO_FILE_RENAME_PATH 247u /* bytes of each of the two paths of a rename */
#define KOZO_FILE_END UINT64_MAX   /* as an offset to write at: the end, wherever that is then */

struct [[nodiscard]] kozo_file {
    struct kozo_endpoint cap;
    uint64_t size;
    enum kozo_file_type type;
    enum kozo_err err;
};

/*
 * Opens `path` below the directory `dir` with at most `rights`; the capability gets a slot of its
 * own. Needs WRITE and GRANT on `dir`: the answer carries a capability. Errors: RIGHTS `dir` has
 * fewer; READ_ONLY rights that change, to what cannot be changed; LIMIT no slot is free; GONE the
 * capability did not arrive, for want of GRANT perhaps.
 */
struct kozo_file kozo_file_open(struct kozo_endpoint dir, const char *path, uint64_t rights);

/*
 * The same on another client's account: what is written through the capability counts for the
 * client whose identity is the badge `client`. Needs user right ACCOUNT. With ACCOUNT in `rights`
 * it is a lease: kozo_file_close of this capability (not of a copy without ACCOUNT) ends it, and all
 * that was opened and made through it, wherever that is. Errors: LIMIT all leases are in use.
 */
struct kozo_file kozo_file_open_for(struct kozo_endpoint dir, uint64_t client, const char *path,
                                    uint64_t rights);

/*
 * Makes an empty file (KOZO_FILE_REGULAR) or directory and opens it with `rights`; with 0 it only
 * makes it, and .cap is none. Needs user right CREATE. Errors: EXISTS; NOT_FOUND the directory it
 * should lie in; READ_ONLY; LIMIT the client's account has its files, or the path is too deep;
 * FULL; and those of kozo_file_open.
 */
struct kozo_file kozo_file_make(struct kozo_endpoint dir, const char *path,
                                enum kozo_file_type type, uint64_t rights);

/* kozo_file_open, and if there is nothing kozo_file_make of a regular file. */
struct kozo_file kozo_file_create(struct kozo_endpoint dir, const char *path, uint64_t rights);

/*
 * Reads up to `len` bytes from `offset` on into `buf`, in as many messages as it takes. The value
 * is the number of bytes, fewer only at the end of the file. Needs user right READ. Bytes read
 * before an error are lost.
 */
struct kozo_res kozo_file_read(struct kozo_endpoint file, uint64_t offset, void *buf, size_t len);

/*
 * Writes `len` bytes at `offset`, or at the end with KOZO_FILE_END, in as many messages as it
 * takes; each is written as a whole or not at all. What lies between the old end and `offset` reads
 * as zeros. The value is the number of bytes, also with an error: those before it are written.
 * Needs user right WRITE. Errors: LIMIT the file would be too long, or the client's account is
 * exhausted; FULL.
 */
struct kozo_res kozo_file_write(struct kozo_endpoint file, uint64_t offset, const void *buf,
                                size_t len);

/*
 * Makes a file `size` bytes long: cut off, or with zeros at its end. Needs user right WRITE.
 * Errors: LIMIT the size is too large.
 */
enum kozo_err kozo_file_truncate(struct kozo_endpoint file, uint64_t size);

/*
 * Removes a file or an empty directory. Capabilities to it become STALE at once, whoever holds
 * them, and its bytes are free. Needs user right REMOVE. Errors: NOT_EMPTY; READ_ONLY.
 */
enum kozo_err kozo_file_remove(struct kozo_endpoint dir, const char *path);

/*
 * Gives a file or directory the path `to`, in one step that nobody sees half done; capabilities to
 * it stay good. A file there is replaced, a directory by a directory if it is empty. Needs user
 * rights CREATE and REMOVE. Errors: NAME a path is over KOZO_FILE_RENAME_PATH bytes; ACROSS the
 * paths are of different filesystems; INSIDE; NOT_EMPTY; TYPE a file would replace a directory or
 * the other way round; LIMIT too deep; READ_ONLY.
 */
enum kozo_err kozo_file_rename(struct kozo_endpoint dir, const char *from, const char *to);

/*
 * Reads up to `len` bytes from `offset` on into `count` (1 to 3) Frames of 4 KiB or 2 MiB, taken as
 * one piece of memory, from its byte `at` on. The value is the number of bytes: at most
 * KOZO_FILE_BULK, fewer at the end of the file and of the Frames. The server maps them for the time
 * of the call. Needs READ, WRITE and MAP on the Frames, user right READ and GRANT on `file`.
 * Errors: ARGUMENT `count`, or `at` is beyond the Frames; KIND or RIGHTS of a Frame; EMPTY none
 * came; GONE one was taken back while its bytes were copied: the others may have been written to.
 */
struct kozo_res kozo_file_read_frames(struct kozo_endpoint file, uint64_t offset, size_t len,
                                      const struct kozo_frame *frames, unsigned count, uint64_t at);

/*
 * The same to write from Frames; `offset` may be KOZO_FILE_END. All that is counted is written, or
 * on an error nothing. Needs READ and MAP on the Frames, user right WRITE and GRANT on `file`.
 * Errors: those of kozo_file_read_frames and kozo_file_write.
 */
struct kozo_res kozo_file_write_frames(struct kozo_endpoint file, uint64_t offset, size_t len,
                                       const struct kozo_frame *frames, unsigned count,
                                       uint64_t at);

/* What a client's account has and may have, and what is left for all together.  */
struct [[nodiscard]] kozo_file_usage {
    uint64_t bytes, max_bytes; /* in blocks of 4 KiB */
    uint64_t files, max_files; /* and directories */
    uint64_t free_bytes, free_files;
    enum kozo_err err;
};

/* Tells of the account that `file` counts for. */
struct kozo_file_usage kozo_file_usage(struct kozo_endpoint file);

/* Tells size and type. */
struct kozo_file kozo_file_stat(struct kozo_endpoint file);

struct [[nodiscard]] kozo_dirent {
    uint64_t next; /* cursor of the entry after this one */
    uint64_t size;
    enum kozo_file_type type;
    enum kozo_err err; /* NOT_FOUND after the last */
    char name[256];
};

/*
 * The directory's entry at `cursor` (0 = the first). Needs user right LIST. Entries that are there
 * from the first call to the last come once each, whatever is made and removed between. Errors:
 * NOT_FOUND there are no more.
 */
enum kozo_err kozo_file_list(struct kozo_endpoint dir, uint64_t cursor, struct kozo_dirent *out);

/* Tells the server, deletes the capability and frees its slot, which is free also on an error. */
enum kozo_err kozo_file_close(struct kozo_endpoint file);
