/* SPDX-License-Identifier: MIT */
/*
 * cpio.h - reads a CPIO archive in format newc, as `find . | cpio -o -H newc` and
 * scripts/mkinitrd.sh make it.
 *
 * Owns:      what counts as a sound archive. Pure: no state; the index works in memory the caller
 *            gives.
 * Not here:  a file system on top (services/fsd).
 * Callers:   kernel/boot (one file), init and fsd (the index), tests. Any archive may be malformed
 *            in any way.
 * Cost:      next: O(name); check and find: O(archive), refused entry by entry; index: O(archive),
 *            O(path) a look-up, of any archive; 8 bytes a slot.
 * Spec:      docs/spec/boot.md; cpio(5), the Linux kernel's buffer-format.
 *
 * Refused: the old and the CRC format, compressed archives (by name), anything but hexadecimal
 * digits in a number, a name of size 0, absolute names and names with `..`, `.` or nothing between
 * two slashes, names of more than KOZO_CPIO_DEPTH parts, sizes that leave the archive, truncation
 * anywhere, a missing trailer, bytes other than 0 after it, `.` that is no directory, and by the
 * index the same name twice, names that lead through what is no directory, and names and inodes
 * chosen so that they collide there. Accepted: `.` itself, a leading `./` (taken off), zeros
 * after the trailer, hard links (bytes under the last name only; they are found under each),
 * symbolic links, devices and all other types (listed).
 */
#pragma once

#include <kozo/abi.h>
#include <kozo/bad.h>

struct kozo_cpio {
    const uint8_t *base; /* any alignment */
    uint64_t bytes;
};

enum kozo_cpio_type : uint32_t {
    KOZO_CPIO_PIPE = 0010000,
    KOZO_CPIO_CHAR = 0020000,
    KOZO_CPIO_DIRECTORY = 0040000,
    KOZO_CPIO_BLOCK = 0060000,
    KOZO_CPIO_FILE = 0100000,
    KOZO_CPIO_SYMLINK = 0120000,
    KOZO_CPIO_SOCKET = 0140000,
};
#define KOZO_CPIO_TYPE(mode) ((enum kozo_cpio_type)((mode) & 0170000u))

/* What an entry of this mode is, as `a directory`, for messages. */
const char *kozo_cpio_type_text(uint32_t mode);

/* An entry; name and data lie in the archive. */
struct kozo_cpio_entry {
    const char *name;   /* without leading "./", ended by a NUL; "." for the root */
    uint64_t name_len;
    const uint8_t *data; /* contents, or the target of a symbolic link; not ended by a NUL */
    uint64_t size;
    uint32_t mode, uid, gid, links, mtime;
    uint32_t ino, dev_major, dev_minor, rdev_major, rdev_minor;
    uint64_t at; /* of its header in the archive */
};

#define KOZO_CPIO_NAME 4096u /* bytes of a name, with its NUL */
#define KOZO_CPIO_DEPTH 32u  /* parts of a name */

/*
 * The entry at *at (0 = the first), which then goes on to the next. Returns KOZO_OK;
 * KOZO_ERR_NOT_FOUND at the trailer, when also all that follows it was checked; KOZO_ERR_FORMAT
 * with *bad filled. A hard link shows as in the archive: without bytes but under its last name.
 */
[[nodiscard]] enum kozo_err kozo_cpio_next(const struct kozo_cpio *c, uint64_t *at,
                                           struct kozo_cpio_entry *e, struct kozo_bad *bad);

/*
 * Checks the whole archive but for what lies between entries (kozo_cpio_index does); the value is the number
 * of entries, and of keys that an index of them has at most.
 */
struct [[nodiscard]] kozo_cpio_count {
    uint64_t entries;
    uint64_t keys; /* names, and inodes of files with several names */
    enum kozo_err err;
};
struct kozo_cpio_count kozo_cpio_check(const struct kozo_cpio *c, struct kozo_bad *bad);

/*
 * Looks up one path (no leading slash) by reading the whole archive. A hard link has its bytes
 * under each name. Errors: NOT_FOUND; FORMAT the archive is malformed anywhere, or holds this name
 * twice.
 */
[[nodiscard]] enum kozo_err kozo_cpio_find(const struct kozo_cpio *c, const char *path,
                                           struct kozo_cpio_entry *e, struct kozo_bad *bad);

/* A hash table from names to entries. */
struct kozo_cpio_slot {
    uint32_t place; /* archive offset / 4 + 1, 0 = empty */
    uint32_t tag;   /* of the key's hash */
};
struct kozo_cpio_index {
    struct kozo_cpio cpio;
    struct kozo_cpio_slot *slot;
    uint64_t mask;
    uint64_t steps; /* of building it: slots looked at, and bytes of names hashed */
};

#define KOZO_CPIO_PROBES 64u /* slots that are looked at for a key, at most */

/* How many slots an index of this many keys needs: a power of two. */
uint64_t kozo_cpio_index_slots(uint64_t keys);

/*
 * Builds an index in slot[0 .. slots), `slots` from kozo_cpio_index_slots. Checks the whole
 * archive, and its names against each other. Errors: FORMAT with *bad filled; LIMIT too few slots, or the
 * archive is of 16 GiB or more. Its `steps` are at most two for each byte of a name and KOZO_CPIO_PROBES for
 * each key and each part of a name.
 */
[[nodiscard]] enum kozo_err kozo_cpio_index(struct kozo_cpio_index *ix, const struct kozo_cpio *c,
                                            struct kozo_cpio_slot *slot, uint64_t slots,
                                            struct kozo_bad *bad);

/* Looks up a path of `len` bytes. A hard link has its bytes under each name. Errors: NOT_FOUND. */
[[nodiscard]] enum kozo_err kozo_cpio_lookup(const struct kozo_cpio_index *ix, const char *path,
                                             uint64_t len, struct kozo_cpio_entry *e);
