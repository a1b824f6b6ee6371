/* SPDX-License-Identifier: MIT */
#include <kozo/file.h>

#include <kozo/slots.h>
#include <kozo/string.h>
#include <kozo/syscall.h>

struct kozo_file kozo_file_open(struct kozo_endpoint dir, const char *path, uint64_t rights)
{
    struct kozo_str name = kozo_str(path);
    struct fs_open_rep rep;
    struct kozo_file f = { .cap = { kozo_slot_alloc() } };
    struct kozo_msg m;

    if (f.cap.c == 0 || name.len > 255) {
        kozo_slot_free(f.cap.c);
        return (struct kozo_file){ .err = name.len > 255 ? KOZO_ERR_NAME : KOZO_ERR_LIMIT };
    }
    kozo_msg_init(&m);
    kozo_msg_window(&m, f.cap.c, 1);
    f.err = fs_call_open(dir, &m, &(struct fs_open_req){ .path = name, .rights = rights }, &rep);
    f.size = rep.size;
    f.type = (enum kozo_file_type)rep.type;
    if (f.err == KOZO_OK && rep.file.slot == 0)
        f.err = KOZO_ERR_GONE;
    if (f.err != KOZO_OK) {
        kozo_slot_drop(f.cap.c);
        f.cap.c = 0;
    }
    return f;
}

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
