/* SPDX-License-Identifier: MIT */
/* Commands about files, by the capability `fs`. */
#include "common/object.h"
#include "shell/shell.h"

#include <kozo/error.h>
#include <kozo/file.h>
#include <kozo/start.h>
#include <kozo/string.h>

/* `/etc/motd`, `etc/motd/` -> `etc/motd`; false when it is no sound path. */
static bool path_of(struct kozo_str word, char to[PATH_BYTES + 1])
{
    while (word.len > 0 && word.at[0] == '/')
        word = (struct kozo_str){ word.at + 1, word.len - 1 };
    while (word.len > 0 && word.at[word.len - 1] == '/')
        word.len--;
    if (!path_is_sound(word))
        return false;
    kozo_str_copy(to, PATH_BYTES + 1, word);
    return true;
}

static struct kozo_file open_path(struct kozo_str word, uint64_t rights)
{
    char path[PATH_BYTES + 1];

    if (!path_of(word, path))
        return (struct kozo_file){ .err = KOZO_ERR_NAME };
    return kozo_file_open(kozo_cap_endpoint("fs"), path, rights);
}

static bool print_entry(const struct kozo_dirent *d)
{
    static const char marks[] = "?-dl?";
    char name[256];

    text_printable(name, sizeof name, kozo_str(d->name));
    return shell_print("%c %10llu %s%s\n", marks[d->type <= KOZO_FILE_OTHER ? d->type : 0],
                       (unsigned long long)d->size, name,
                       d->type == KOZO_FILE_DIRECTORY ? "/" : "");
}

static uint32_t list(struct kozo_str word, struct kozo_endpoint dir)
{
    static struct kozo_dirent d;
    uint64_t at = 0;
    enum kozo_err err;

    while ((err = kozo_file_list(dir, at, &d)) == KOZO_OK) {
        if (!print_entry(&d))
            return 1;
        at = d.next;
        if (at == 0 || (uint32_t)at == UINT32_MAX)
            break;
    }
    return err == KOZO_OK || err == KOZO_ERR_NOT_FOUND ? 0 : shell_fail_err(word, err);
}

uint32_t command_ls(const struct words *w, uint32_t)
{
    struct kozo_str word = w->count > 1 ? w->word[1] : kozo_str("/");
    struct kozo_file f = open_path(word, KOZO_FILE_LIST | KOZO_FILE_READ);
    uint32_t status;

    if (f.err != KOZO_OK)
        return shell_fail_err(word, f.err);
    if (f.type == KOZO_FILE_DIRECTORY)
        status = list(word, f.cap);
    else
        status = shell_print("- %10llu %.*s\n", (unsigned long long)f.size, (int)word.len, word.at)
                     ? 0
                     : 1;
    (void)kozo_file_close(f.cap);
    return status;
}

/* As text that a terminal can show, whatever the file holds. */
static bool print_piece(char *piece, uint64_t len)
{
    for (uint64_t i = 0; i < len;) {
        struct kozo_str rest = { piece + i, len - i };
        uint64_t n = piece[i] == '\n' ? 1 : text_char(rest);

        if (n == 0)
            piece[i] = '?';
        i += n > 0 ? n : 1;
    }
    return shell_write(piece, len);
}

static uint32_t print_file(struct kozo_str word, const struct kozo_file *f)
{
    char piece[KOZO_FILE_CHUNK], last = '\n';
    struct kozo_res r = {};

    for (uint64_t at = 0; at < f->size; at += r.value) {
        r = kozo_file_read(f->cap, at, piece, sizeof piece);
        if (r.err != KOZO_OK || r.value == 0)
            break;
        last = piece[r.value - 1];
        if (!print_piece(piece, r.value))
            return 1;
    }
    if (last != '\n')
        (void)shell_write("\n", 1);
    return r.err == KOZO_OK ? 0 : shell_fail_err(word, r.err);
}

uint32_t command_cat(const struct words *w, uint32_t)
{
    uint32_t status = 0;

    for (uint32_t i = 1; i < w->count; i++) {
        struct kozo_file f = open_path(w->word[i], KOZO_FILE_READ);

        if (f.err == KOZO_OK && f.type != KOZO_FILE_REGULAR)
            status = shell_fail_err(w->word[i], KOZO_ERR_TYPE);
        else if (f.err == KOZO_OK)
            status |= print_file(w->word[i], &f);
        else
            status = shell_fail_err(w->word[i], f.err);
        if (f.err == KOZO_OK)
            (void)kozo_file_close(f.cap);
    }
    return status;
}
