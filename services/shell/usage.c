/* SPDX-License-Identifier: MIT */
/* df: how much of /ram is used, and how much is left. */
#include "shell/json.h"
#include "shell/shell.h"

#include <kozo/error.h>
#include <kozo/start.h>
#include <kozo/string.h>

/* One of the two things that are counted: bytes, and files with directories. */
struct counted {
    uint64_t used, limit; /* of the shell's own account */
    uint64_t left;        /* for all accounts together */
};

/* What the account can still take. */
static uint64_t free_of(const struct counted *c)
{
    uint64_t own = c->limit > c->used ? c->limit - c->used : 0;

    return own < c->left ? own : c->left;
}

static bool print_row(const char *name, const struct counted *c, uint64_t unit)
{
    return shell_print("%-6s %9llu %9llu %9llu %13llu\n", name,
                       (unsigned long long)(c->used / unit), (unsigned long long)(c->limit / unit),
                       (unsigned long long)(free_of(c) / unit),
                       (unsigned long long)(c->left / unit));
}

static bool print_table(const struct counted *bytes, const struct counted *files)
{
    return shell_print("%-6s %9s %9s %9s %13s\n", "/ram", "USED", "OF", "FREE", "FREE FOR ALL") &&
           print_row("KiB", bytes, 1024) && print_row("files", files, 1);
}

static bool print_json(const struct counted *bytes, const struct counted *files)
{
    char text[512];
    struct json j = json_begin(text, sizeof text);

    json_number(&j, "bytes", bytes->used);
    json_number(&j, "bytes_limit", bytes->limit);
    json_number(&j, "bytes_free", free_of(bytes));
    json_number(&j, "bytes_free_for_all", bytes->left);
    json_number(&j, "files", files->used);
    json_number(&j, "files_limit", files->limit);
    json_number(&j, "files_free", free_of(files));
    json_number(&j, "files_free_for_all", files->left);
    return shell_print_str(json_end(&j, "\n"));
}

uint32_t command_df(const struct words *w, uint32_t)
{
    struct counted bytes, files;
    struct kozo_file_usage u;

    if (w->count > 1 && !kozo_str_is(w->word[1], "--json"))
        return shell_usage(w->word[1], "", w->word[0]);
    (void)kozo_reconnect("fs"); /* it may be in another life */
    u = kozo_file_usage(kozo_cap_endpoint("fs"));
    if (u.err != KOZO_OK)
        return shell_fail_err(w->word[0], u.err);
    bytes = (struct counted){ u.bytes, u.max_bytes, u.free_bytes };
    files = (struct counted){ u.files, u.max_files, u.free_files };
    return (w->count > 1 ? print_json(&bytes, &files) : print_table(&bytes, &files)) ? 0 : 1;
}
