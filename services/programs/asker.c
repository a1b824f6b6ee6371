/* SPDX-License-Identifier: MIT */
/*
 * asker - asks policy for an object by name, says what came of it, and uses what it was given. With
 * SECONDS it keeps that for so long and uses it once more, so that a lease can be seen to end.
 *
 * It needs the capability "policy": run --with policy asker fs:/etc/motd
 */
#include "programs/program.h"

#include <kozo/error.h>
#include <kozo/file.h>
#include <kozo/policy.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/system.h>
#include <kozo/time.h>

constexpr uint64_t most_seconds = 3600; /* no lease is longer */

/* The user right that a word names, as in the manifest; 0 when it names none of the object's. */
static uint64_t right_of(const char *object, const char *word, size_t len)
{
    static const struct {
        const char *name;
        uint64_t right;
    } names[] = { { "read", KOZO_FILE_READ },     { "write", KOZO_FILE_WRITE },
                  { "list", KOZO_FILE_LIST },     { "create", KOZO_FILE_CREATE },
                  { "remove", KOZO_FILE_REMOVE }, { "kill", KOZO_SYSTEM_KILL } };
    bool power = strncmp(object, "process:", strlen("process:")) == 0;

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i].name) == len && memcmp(names[i].name, word, len) == 0)
            return power == (strcmp(names[i].name, "kill") == 0) ? names[i].right : 0;
    return 0;
}

/* The rights that words parted by commas name; 0 when one names none. */
static uint64_t rights_of(const char *object, const char *words)
{
    uint64_t rights = 0;

    for (;;) {
        const char *end = strchr(words, ',');
        size_t len = end != nullptr ? (size_t)(end - words) : strlen(words);
        uint64_t right = right_of(object, words, len);

        if (right == 0)
            return 0;
        rights |= right;
        if (end == nullptr)
            return rights;
        words = end + 1;
    }
}

static int use_directory(const char *object, struct kozo_endpoint dir)
{
    static struct kozo_dirent d;
    uint64_t entries = 0;
    enum kozo_err err;

    for (uint64_t at = 0; (err = kozo_file_list(dir, at, &d)) == KOZO_OK; at = d.next) {
        entries++;
        if (d.next == 0 || (uint32_t)d.next == UINT32_MAX)
            break;
    }
    if (err != KOZO_OK && err != KOZO_ERR_NOT_FOUND)
        return program_fail_err(object, err);
    program_printf("used: listed %llu entries\n", (unsigned long long)entries);
    return 0;
}

static int use_file(const char *object, struct kozo_endpoint file, uint64_t rights)
{
    static char piece[4096];
    struct kozo_file f = kozo_file_stat(file);
    struct kozo_res r;

    if (f.err != KOZO_OK)
        return program_fail_err(object, f.err);
    if (f.type == KOZO_FILE_DIRECTORY && (rights & KOZO_FILE_LIST) != 0)
        return use_directory(object, file);
    if (f.type != KOZO_FILE_REGULAR || (rights & KOZO_FILE_READ) == 0) {
        program_printf("used: it has %llu bytes\n", (unsigned long long)f.size);
        return 0;
    }
    r = kozo_file_read(file, 0, piece, sizeof piece);
    if (r.err != KOZO_OK)
        return program_fail_err(object, r.err);
    program_printf("used: read %llu of %llu bytes\n", (unsigned long long)r.value,
                   (unsigned long long)f.size);
    program_write(piece, r.value);
    return 0;
}

static void tell(const char *object, const struct kozo_grant *g)
{
    struct kozo_verified v = kozo_cap_verify(kozo_own(g->cap.c), kozo_own(0));

    program_printf("granted: %s", object);
    program_printf(": %s, user rights %#x, for %llu ms (%s)\n",
                   kozo_kind_name(KOZO_VERIFY_KIND(v.what)), KOZO_VERIFY_USER(v.what),
                   (unsigned long long)g->lease_ms, g->reason);
}

static int use(const char *object, const struct kozo_grant *g, uint64_t rights)
{
    return strncmp(object, "fs:", 3) == 0 ? use_file(object, g->cap, rights) : 0;
}

/* Uses it, and with `seconds` once more when these are over. */
static int use_for(uint64_t seconds, const char *object, const struct kozo_grant *g,
                   uint64_t rights)
{
    int status = use(object, g, rights);

    if (seconds == 0 || status != 0)
        return status;
    program_printf("kept for %llu s\n", (unsigned long long)seconds);
    (void)kozo_sleep(seconds * KOZO_S);
    return use(object, g, rights);
}

int main(int argc, char **argv)
{
    struct kozo_grant g;
    uint64_t rights, seconds = 0;
    int status;

    program_begin("asker OBJECT [RIGHT,... [REASON [SECONDS]]]");
    rights = argc > 2 ? rights_of(argv[1], argv[2]) : KOZO_FILE_READ;
    if (argc < 2 || argc > 5 || rights == 0)
        return program_end(program_usage());
    if (argc > 4 && (!kozo_parse_u64(argv[4], strlen(argv[4]), &seconds) || seconds > most_seconds))
        return program_end(program_fail(argv[4], "seconds are a number up to 3600"));
    switch (kozo_request(argv[1], rights, argc > 3 ? argv[3] : "asked for by hand", &g)) {
    case KOZO_OK:
        tell(argv[1], &g);
        status = use_for(seconds, argv[1], &g, rights);
        (void)kozo_release(&g);
        break;
    case KOZO_ERR_DENIED:
        program_printf("denied: %s", argv[1]);
        program_printf(": %s%s%s\n", g.reason, g.hint[0] != '\0' ? "; " : "", g.hint);
        status = PROGRAM_FAILED;
        break;
    case KOZO_ERR_EMPTY:
        status = program_fail(argv[1], "no capability to ask with; start it with --with policy");
        break;
    default:
        status = program_fail_err(argv[1], g.err);
    }
    return program_end(status);
}
