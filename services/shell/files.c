/* SPDX-License-Identifier: MIT */
/* Commands about files, by the capability `fs`. */
#include "common/object.h"
#include "shell/shell.h"

#include <kozo/error.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>

struct path {
    char text[PATH_BYTES + 1];
    bool sound;
};

/* `/etc/motd`, `etc/motd/` -> `etc/motd`. */
static struct path path_of(struct kozo_str word)
{
    struct path p = {};

    while (word.len > 0 && word.at[0] == '/')
        word = (struct kozo_str){ word.at + 1, word.len - 1 };
    while (word.len > 0 && word.at[word.len - 1] == '/')
        word.len--;
    p.sound = word.len <= PATH_BYTES && path_is_sound(word);
    if (p.sound)
        kozo_str_copy(p.text, sizeof p.text, word);
    return p;
}

/* After a restart of the file server its next life is another Endpoint. */
static struct kozo_endpoint root(void)
{
    (void)kozo_reconnect("fs");
    return kozo_cap_endpoint("fs");
}

struct kozo_file shell_open(struct kozo_str word, uint64_t rights)
{
    struct path p = path_of(word);

    if (!p.sound)
        return (struct kozo_file){ .err = KOZO_ERR_NAME };
    return kozo_file_open(root(), p.text, rights);
}

struct kozo_file shell_create(struct kozo_str word, uint64_t rights)
{
    struct path p = path_of(word);

    if (!p.sound)
        return (struct kozo_file){ .err = KOZO_ERR_NAME };
    return kozo_file_create(root(), p.text, rights);
}

static bool is_directory(struct kozo_str word)
{
    struct kozo_file f = shell_open(word, KOZO_FILE_LIST);

    if (f.err == KOZO_OK)
        (void)kozo_file_close(f.cap);
    return f.err == KOZO_OK && f.type == KOZO_FILE_DIRECTORY;
}

uint32_t shell_fail_file(struct kozo_str word, enum kozo_err err)
{
    if (is_directory(word))
        return shell_fail(word, "is a directory");
    return shell_fail_err(word, err);
}

/* ---- ls ---- */

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
    struct kozo_file f = shell_open(word, KOZO_FILE_LIST | KOZO_FILE_READ);
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

/* ---- cat ---- */

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
        if (at + r.value < f->size) /* read again, with what follows */
            r.value -= text_torn((struct kozo_str){ piece, r.value });
        last = piece[r.value - 1];
        if (!print_piece(piece, r.value))
            return 1;
    }
    if (last != '\n')
        (void)shell_write("\n", 1);
    return r.err == KOZO_OK ? 0 : shell_fail_err(word, r.err);
}

/* Opens a regular file to read; what is wrong has been told then. */
static struct kozo_file open_regular(struct kozo_str word)
{
    struct kozo_file f = shell_open(word, KOZO_FILE_READ);

    if (f.err == KOZO_OK && f.type != KOZO_FILE_REGULAR) {
        (void)kozo_file_close(f.cap);
        f.err = KOZO_ERR_TYPE;
    }
    if (f.err == KOZO_ERR_TYPE)
        (void)shell_fail(word,
                         f.type == KOZO_FILE_DIRECTORY ? "is a directory" : "is no regular file");
    else if (f.err != KOZO_OK)
        (void)shell_fail_err(word, f.err);
    return f;
}

uint32_t command_cat(const struct words *w, uint32_t)
{
    uint32_t status = 0;

    for (uint32_t i = 1; i < w->count; i++) {
        struct kozo_file f = open_regular(w->word[i]);

        if (f.err != KOZO_OK) {
            status = 1;
            continue;
        }
        status |= print_file(w->word[i], &f);
        (void)kozo_file_close(f.cap);
    }
    return status;
}

/* ---- changing files ---- */

static struct kozo_str last_part(struct kozo_str path)
{
    uint64_t n = path.len;

    while (n > 0 && path.at[n - 1] != '/')
        n--;
    return (struct kozo_str){ path.at + n, path.len - n };
}

/* Where a file goes that is copied or moved to `word`: into it, if it is a directory. */
static struct path target_of(struct kozo_str from, struct kozo_str word)
{
    struct path p = path_of(word), source = path_of(from);
    struct kozo_str name = last_part(kozo_str(source.text));
    struct kozo_file f = shell_open(word, KOZO_FILE_LIST);
    uint64_t used = strlen(p.text);

    if (f.err != KOZO_OK)
        return p;
    (void)kozo_file_close(f.cap);
    if (f.type != KOZO_FILE_DIRECTORY || !p.sound || !source.sound)
        return p;
    p.sound = used + 1 + name.len <= PATH_BYTES;
    if (!p.sound)
        return p;
    if (used > 0)
        p.text[used++] = '/';
    kozo_str_copy(p.text + used, sizeof p.text - used, name);
    return p;
}

/* An empty file with a name of its own beside `target`, which it may become; *at is its path. */
static struct kozo_file make_beside(const struct path *target, struct path *at)
{
    uint64_t dir = strlen(target->text) - last_part(kozo_str(target->text)).len;
    struct kozo_file f = {};

    for (uint32_t n = 0; n < 10; n++) {
        *at = (struct path){ .sound = dir + sizeof ".cp-0" <= sizeof at->text };
        if (!at->sound)
            return (struct kozo_file){ .err = KOZO_ERR_NAME };
        memcpy(at->text, target->text, dir);
        kozo_snprintf(at->text + dir, sizeof at->text - dir, ".cp-%u", n);
        f = kozo_file_make(root(), at->text, KOZO_FILE_REGULAR, KOZO_FILE_WRITE);
        if (f.err != KOZO_ERR_EXISTS)
            return f;
    }
    return f;
}

/* A copy's bytes: fsd puts them there, and takes them from there. Nobody here maps these pages. */
static struct kozo_frame lent[KOZO_FILE_FRAMES];

static enum kozo_err lent_begin(void)
{
    kozo_cptr first;
    enum kozo_err err;

    if (lent[0].c != 0)
        return KOZO_OK;
    first = kozo_slots_alloc(KOZO_FILE_FRAMES);
    if (first == 0)
        return KOZO_ERR_LIMIT;
    err = kozo_retype(kozo_own_untyped(), KOZO_KIND_FRAME, KOZO_PAGE_BITS, kozo_own(first),
                      KOZO_FILE_FRAMES);
    if (err != KOZO_OK) {
        kozo_slots_free(first, KOZO_FILE_FRAMES);
        return err;
    }
    for (uint32_t i = 0; i < KOZO_FILE_FRAMES; i++)
        lent[i].c = first + i;
    return KOZO_OK;
}

static enum kozo_err copy_bytes(const struct kozo_file *from, struct kozo_endpoint to)
{
    enum kozo_err err = lent_begin();

    for (uint64_t at = 0; err == KOZO_OK && at < from->size;) {
        struct kozo_res r = kozo_file_read_frames(from->cap, at, KOZO_FILE_FRAMES * KOZO_PAGE_SIZE,
                                                  lent, KOZO_FILE_FRAMES, 0);

        if (r.err == KOZO_OK && r.value == 0)
            break;
        if (r.err == KOZO_OK)
            r = kozo_file_write_frames(to, at, r.value, lent, KOZO_FILE_FRAMES, 0);
        if (r.err == KOZO_OK && r.value == 0)
            r.err = KOZO_ERR_PROTOCOL;
        at += r.value;
        err = shell_stopped() ? KOZO_ERR_CANCELLED : r.err;
    }
    return err;
}

/* Under another name until it is whole: what is at `target` is replaced in one step, or not at all. */
static enum kozo_err copy_file(const struct kozo_file *from, const struct path *target)
{
    struct path at;
    struct kozo_file to = make_beside(target, &at);

    if (to.err != KOZO_OK)
        return to.err;
    to.err = copy_bytes(from, to.cap);
    (void)kozo_file_close(to.cap);
    if (to.err == KOZO_OK)
        to.err = kozo_file_rename(root(), at.text, target->text);
    if (to.err != KOZO_OK)
        (void)kozo_file_remove(root(), at.text);
    return to.err;
}

uint32_t command_cp(const struct words *w, uint32_t)
{
    struct kozo_file from = open_regular(w->word[1]);
    struct path p;
    enum kozo_err err;

    if (from.err != KOZO_OK)
        return 1;
    p = target_of(w->word[1], w->word[2]);
    err = p.sound ? KOZO_OK : KOZO_ERR_NAME;
    if (p.sound && text_equal(kozo_str(p.text), kozo_str(path_of(w->word[1]).text))) {
        (void)kozo_file_close(from.cap);
        return shell_fail(w->word[2], "is the same file");
    }
    if (err == KOZO_OK)
        err = copy_file(&from, &p);
    (void)kozo_file_close(from.cap);
    if (err == KOZO_ERR_CANCELLED && shell_stopped())
        return 1;
    return err == KOZO_OK ? 0 : shell_fail_err(w->word[2], err);
}

uint32_t command_mv(const struct words *w, uint32_t)
{
    struct path from = path_of(w->word[1]), to = target_of(w->word[1], w->word[2]);
    enum kozo_err err = KOZO_ERR_NAME;

    if (from.sound && to.sound)
        err = kozo_file_rename(root(), from.text, to.text);
    return err == KOZO_OK ? 0 : shell_fail_err(w->word[1], err);
}

uint32_t command_rm(const struct words *w, uint32_t)
{
    uint32_t status = 0;

    for (uint32_t i = 1; i < w->count; i++) {
        struct path p = path_of(w->word[i]);
        enum kozo_err err = p.sound ? kozo_file_remove(root(), p.text) : KOZO_ERR_NAME;

        if (p.sound && p.text[0] == '\0')
            status = shell_fail(w->word[i], "cannot be removed");
        else if (err != KOZO_OK)
            status = shell_fail_err(w->word[i], err);
    }
    return status;
}

uint32_t command_mkdir(const struct words *w, uint32_t)
{
    uint32_t status = 0;

    for (uint32_t i = 1; i < w->count; i++) {
        struct path p = path_of(w->word[i]);
        enum kozo_err err =
            p.sound ? kozo_file_make(root(), p.text, KOZO_FILE_DIRECTORY, 0).err : KOZO_ERR_NAME;

        if (err != KOZO_OK)
            status = shell_fail_err(w->word[i], err);
    }
    return status;
}

/* The words from `first` on, with blanks between them and the end of the line; nothing if there are none. */
static struct kozo_str line_of(const struct words *w, uint32_t first)
{
    static char text[PARSE_BYTES + SHELL_WORDS + 1];
    uint64_t len = 0;

    for (uint32_t i = first; i < w->count; i++) {
        memcpy(text + len, w->word[i].at, w->word[i].len);
        len += w->word[i].len;
        text[len++] = i + 1 < w->count ? ' ' : '\n';
    }
    return (struct kozo_str){ text, len };
}

/*
 * At the end. A line of several messages may find room for the first alone, in a block that is
 * there: it goes again, unless somebody else has written behind it.
 */
static enum kozo_err append_line(struct kozo_endpoint file, struct kozo_str line)
{
    struct kozo_file before = kozo_file_stat(file), after;
    struct kozo_res r;

    if (before.err != KOZO_OK)
        return before.err;
    r = kozo_file_write(file, KOZO_FILE_END, line.at, line.len);
    if (r.err == KOZO_OK || r.value == 0)
        return r.err;
    after = kozo_file_stat(file);
    if (after.err == KOZO_OK && after.size == before.size + r.value)
        (void)kozo_file_truncate(file, before.size);
    return r.err;
}

/*
 * Over what is there, which is cut off only then. All of a line is in the first block: what finds no
 * room has changed nothing.
 */
static enum kozo_err write_line(struct kozo_endpoint file, struct kozo_str line)
{
    enum kozo_err err = kozo_file_write(file, 0, line.at, line.len).err;

    return err == KOZO_OK ? kozo_file_truncate(file, line.len) : err;
}

uint32_t command_write(const struct words *w, uint32_t)
{
    bool append = kozo_str_is(w->word[1], "--append"), made = false;
    uint32_t at = append ? 2 : 1;
    struct path p;
    struct kozo_file f = { .err = KOZO_ERR_NAME };

    if (w->count <= at)
        return shell_usage(w->word[0], "", w->word[0]);
    p = path_of(w->word[at]);
    if (p.sound)
        f = kozo_file_make(root(), p.text, KOZO_FILE_REGULAR, KOZO_FILE_WRITE);
    made = f.err == KOZO_OK;
    if (f.err == KOZO_ERR_EXISTS)
        f = kozo_file_open(root(), p.text, KOZO_FILE_WRITE);
    if (f.err != KOZO_OK)
        return shell_fail_file(w->word[at], f.err);
    f.err = append ? append_line(f.cap, line_of(w, at + 1)) : write_line(f.cap, line_of(w, at + 1));
    (void)kozo_file_close(f.cap);
    if (f.err != KOZO_OK && made)
        (void)kozo_file_remove(root(), p.text);
    return f.err == KOZO_OK ? 0 : shell_fail_file(w->word[at], f.err);
}
