/* SPDX-License-Identifier: MIT */
#include <kozo/file.h>

#include <kozo/slots.h>
#include <kozo/string.h>
#include <kozo/syscall.h>

static struct kozo_file failed(enum kozo_err err) { return (struct kozo_file){ .err = err }; }

/* ---- what answers with a capability ---- */

/* What comes back with an answer: `slot` is where the capability was to arrive.  */
static struct kozo_file arrived(kozo_cptr slot, enum kozo_err err, struct kozo_cap_desc cap,
                                uint64_t size, uint64_t type)
{
    if (err == KOZO_OK && cap.slot == 0)
        err = KOZO_ERR_GONE;
    if (err != KOZO_OK) {
        kozo_slot_drop(slot);
        return failed(err);
    }
    return (struct kozo_file){ { slot }, size, (enum kozo_file_type)type, KOZO_OK };
}

/* Checks a path and finds a slot for the answer's capability. */
static struct kozo_file expect(struct kozo_msg *m, struct kozo_str path)
{
    kozo_cptr slot;

    if (path.len > KOZO_FILE_PATH)
        return failed(KOZO_ERR_NAME);
    slot = kozo_slot_alloc();
    if (slot == 0)
        return failed(KOZO_ERR_LIMIT);
    kozo_msg_init(m);
    kozo_msg_window(m, slot, 1);
    return (struct kozo_file){ .cap = { slot } };
}

struct kozo_file kozo_file_open(struct kozo_endpoint dir, const char *path, uint64_t rights)
{
    struct fs_open_req req = { .path = kozo_str(path), .rights = rights };
    struct fs_open_rep rep;
    struct kozo_msg m;
    struct kozo_file f = expect(&m, req.path);
    enum kozo_err err;

    if (f.err != KOZO_OK)
        return f;
    err = fs_call_open(dir, &m, &req, &rep);
    return arrived(f.cap.c, err, rep.file, rep.size, rep.type);
}

struct kozo_file kozo_file_open_for(struct kozo_endpoint dir, uint64_t client, const char *path,
                                    uint64_t rights)
{
    struct fs_open_for_req req = { .client = client, .path = kozo_str(path), .rights = rights };
    struct fs_open_for_rep rep;
    struct kozo_msg m;
    struct kozo_file f = expect(&m, req.path);
    enum kozo_err err;

    if (f.err != KOZO_OK)
        return f;
    err = fs_call_open_for(dir, &m, &req, &rep);
    return arrived(f.cap.c, err, rep.file, rep.size, rep.type);
}

struct kozo_file kozo_file_make(struct kozo_endpoint dir, const char *path,
                                enum kozo_file_type type, uint64_t rights)
{
    struct fs_make_req req = { .path = kozo_str(path), .type = type, .rights = rights };
    struct fs_make_rep rep;
    struct kozo_msg m;
    struct kozo_file f = expect(&m, req.path);
    enum kozo_err err;

    if (f.err != KOZO_OK)
        return f;
    err = fs_call_make(dir, &m, &req, &rep);
    if (rights != 0 || err != KOZO_OK)
        return arrived(f.cap.c, err, rep.file, 0, type);
    kozo_slot_drop(f.cap.c);
    return (struct kozo_file){ .type = type };
}

/* Another client may make or remove the file between the two calls: a few tries. */
struct kozo_file kozo_file_create(struct kozo_endpoint dir, const char *path, uint64_t rights)
{
    struct kozo_file f;

    for (int tries = 0; tries < 4; tries++) {
        f = kozo_file_open(dir, path, rights);
        if (f.err != KOZO_ERR_NOT_FOUND)
            return f;
        f = kozo_file_make(dir, path, KOZO_FILE_REGULAR, rights);
        if (f.err != KOZO_ERR_EXISTS)
            return f;
    }
    return f;
}

/* ---- bytes, by message ---- */

struct kozo_res kozo_file_read(struct kozo_endpoint file, uint64_t offset, void *buf, size_t len)
{
    struct fs_read_rep rep;
    struct kozo_msg m;
    size_t done = 0;

    kozo_msg_init(&m);
    while (done < len) {
        size_t n = len - done < KOZO_FILE_CHUNK ? len - done : KOZO_FILE_CHUNK;
        struct fs_read_req req = { .offset = offset + done, .length = n };
        enum kozo_err err = fs_call_read(file, &m, &req, &rep);

        if (err == KOZO_OK && rep.data.len > n)
            err = KOZO_ERR_PROTOCOL;
        if (err != KOZO_OK)
            return (struct kozo_res){ 0, err };
        if (rep.data.len == 0)
            break;
        memcpy((char *)buf + done, rep.data.at, rep.data.len);
        done += rep.data.len;
    }
    return (struct kozo_res){ done, KOZO_OK };
}

struct kozo_res kozo_file_write(struct kozo_endpoint file, uint64_t offset, const void *buf,
                                size_t len)
{
    struct fs_write_rep rep;
    struct kozo_msg m;
    size_t done = 0;

    kozo_msg_init(&m);
    while (done < len) {
        size_t n = len - done < KOZO_FILE_CHUNK ? len - done : KOZO_FILE_CHUNK;
        struct fs_write_req req = { offset == KOZO_FILE_END ? offset : offset + done,
                                    { (const char *)buf + done, n } };
        enum kozo_err err = fs_call_write(file, &m, &req, &rep);

        if (err == KOZO_OK && rep.count != n)
            err = KOZO_ERR_PROTOCOL;
        if (err != KOZO_OK)
            return (struct kozo_res){ done, err };
        done += n;
    }
    return (struct kozo_res){ done, KOZO_OK };
}

enum kozo_err kozo_file_truncate(struct kozo_endpoint file, uint64_t size)
{
    struct fs_truncate_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    return fs_call_truncate(file, &m, &(struct fs_truncate_req){ .size = size }, &rep);
}

/* ---- bytes, through Frames ---- */

/* Frame `i` of those lent, with what the server needs of it. */
static struct kozo_cap_desc lent(const struct kozo_frame *frames, unsigned count, unsigned i,
                                 uint64_t rights)
{
    return kozo_give(i < count ? frames[i].c : 0, rights, 0);
}

struct kozo_res kozo_file_read_frames(struct kozo_endpoint file, uint64_t offset, size_t len,
                                      const struct kozo_frame *frames, unsigned count, uint64_t at)
{
    constexpr uint64_t rights = KOZO_READ | KOZO_WRITE | KOZO_MAP;
    struct fs_read_frames_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    if (count == 0 || count > KOZO_FILE_FRAMES)
        return (struct kozo_res){ 0, KOZO_ERR_ARGUMENT };
    kozo_msg_init(&m);
    err = fs_call_read_frames(file, &m,
                              &(struct fs_read_frames_req){
                                  offset, len, at, lent(frames, count, 0, rights),
                                  lent(frames, count, 1, rights), lent(frames, count, 2, rights) },
                              &rep);
    return (struct kozo_res){ rep.count, err };
}

struct kozo_res kozo_file_write_frames(struct kozo_endpoint file, uint64_t offset, size_t len,
                                       const struct kozo_frame *frames, unsigned count, uint64_t at)
{
    constexpr uint64_t rights = KOZO_READ | KOZO_MAP;
    struct fs_write_frames_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    if (count == 0 || count > KOZO_FILE_FRAMES)
        return (struct kozo_res){ 0, KOZO_ERR_ARGUMENT };
    kozo_msg_init(&m);
    err = fs_call_write_frames(file, &m,
                               &(struct fs_write_frames_req){
                                   offset, len, at, lent(frames, count, 0, rights),
                                   lent(frames, count, 1, rights), lent(frames, count, 2, rights) },
                               &rep);
    return (struct kozo_res){ rep.count, err };
}

/* ---- names ---- */

enum kozo_err kozo_file_remove(struct kozo_endpoint dir, const char *path)
{
    struct fs_remove_req req = { .path = kozo_str(path) };
    struct fs_remove_rep rep;
    struct kozo_msg m;

    if (req.path.len > KOZO_FILE_PATH)
        return KOZO_ERR_NAME;
    kozo_msg_init(&m);
    return fs_call_remove(dir, &m, &req, &rep);
}

enum kozo_err kozo_file_rename(struct kozo_endpoint dir, const char *from, const char *to)
{
    struct fs_rename_req req = { .from = kozo_str(from), .to = kozo_str(to) };
    struct fs_rename_rep rep;
    struct kozo_msg m;

    if (req.from.len > KOZO_FILE_RENAME_PATH || req.to.len > KOZO_FILE_RENAME_PATH)
        return KOZO_ERR_NAME;
    kozo_msg_init(&m);
    return fs_call_rename(dir, &m, &req, &rep);
}

/* ---- looking ---- */

struct kozo_file_usage kozo_file_usage(struct kozo_endpoint file)
{
    struct fs_usage_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    kozo_msg_init(&m);
    err = fs_call_usage(file, &m, &(struct fs_usage_req){}, &rep);
    return (struct kozo_file_usage){ rep.bytes,      rep.max_bytes,  rep.files, rep.max_files,
                                     rep.free_bytes, rep.free_files, err };
}

struct kozo_file kozo_file_stat(struct kozo_endpoint file)
{
    struct kozo_file f = { .cap = file };
    struct fs_stat_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    f.err = fs_call_stat(file, &m, &(struct fs_stat_req){}, &rep);
    f.size = rep.size;
    f.type = (enum kozo_file_type)rep.type;
    return f;
}

enum kozo_err kozo_file_list(struct kozo_endpoint dir, uint64_t cursor, struct kozo_dirent *out)
{
    struct fs_list_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    out->err = fs_call_list(dir, &m, &(struct fs_list_req){ .cursor = cursor }, &rep);
    out->next = rep.next;
    out->size = rep.size;
    out->type = (enum kozo_file_type)rep.type;
    kozo_str_copy(out->name, sizeof(out->name), rep.name);
    return out->err;
}

enum kozo_err kozo_file_close(struct kozo_endpoint file)
{
    struct fs_close_rep rep;
    enum kozo_err err;
    struct kozo_msg m;

    kozo_msg_init(&m);
    err = fs_call_close(file, &m, &(struct fs_close_req){}, &rep);
    kozo_slot_drop(file.c);
    return err;
}
