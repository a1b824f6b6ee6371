/* SPDX-License-Identifier: MIT */
/*
 * The memory filesystem of fsd beside a model of it: random operations of several clients, and
 * after each the answers, all bytes and all accounts are compared.
 *
 * The model is as plain as can be: a list of paths, each with its bytes in one array and the
 * account that pays for each block of it. It knows the limits and the order of errors.
 */
#include "files.h"

#include "fsd/deny.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_FILES 32u
#define MODEL_BLOCKS 24u
#define MODEL_BYTES (MODEL_BLOCKS * STORE_BLOCK)
#define CLIENTS 3u
#define STORE (48u + STORE_RESERVE)
#define SHARE 20u
#define FILES 12u
#define SHARE_FILES 6u

static struct entry {
    char path[64];
    bool used, directory;
    uint8_t account;
    uint64_t size;
    uint8_t bytes[MODEL_BYTES];
    uint8_t owner[MODEL_BLOCKS]; /* account + 1; 0: a hole */
    uint8_t index;               /* of the block of block numbers, likewise */
} model[MODEL_FILES];

static uint64_t state;

static uint32_t dice(uint32_t sides)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(state >> 33) % sides;
}

/* ---- the model's accounts ---- */

static uint32_t model_blocks(uint8_t account)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < MODEL_FILES; i++) {
        if (!model[i].used)
            continue;
        for (uint32_t k = 0; k < MODEL_BLOCKS; k++)
            n +=
                account == STORE_NOBODY ? model[i].owner[k] != 0 : model[i].owner[k] == account + 1;
        n += account == STORE_NOBODY ? model[i].index != 0 : model[i].index == account + 1;
    }
    return n;
}

static uint32_t model_files(uint8_t account)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < MODEL_FILES; i++)
        n += model[i].used && (account == STORE_NOBODY || model[i].account == account);
    return n;
}

static enum kozo_err model_may_have(uint8_t account, uint32_t blocks)
{
    if (blocks == 0)
        return KOZO_OK;
    if (model_blocks(account) + blocks > SHARE)
        return KOZO_ERR_LIMIT;
    return model_blocks(STORE_NOBODY) + blocks > STORE - STORE_RESERVE ? KOZO_ERR_FULL : KOZO_OK;
}

/* ---- the model's operations ---- */

static struct entry *model_find(const char *path)
{
    for (uint32_t i = 0; i < MODEL_FILES; i++)
        if (model[i].used && strcmp(model[i].path, path) == 0)
            return &model[i];
    return nullptr;
}

static bool below(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    return strncmp(path, dir, n) == 0 && path[n] == '/';
}

static bool has_children(const struct entry *e)
{
    for (uint32_t i = 0; i < MODEL_FILES; i++)
        if (model[i].used && below(model[i].path, e->path))
            return true;
    return false;
}

/* The directory it lies in is there. */
static bool has_parent(const char *path)
{
    char dir[64];
    const struct entry *e;

    strcpy(dir, path);
    *strrchr(dir, '/') = '\0';
    if (strcmp(dir, "ram") == 0)
        return true;
    e = model_find(dir);
    return e != nullptr && e->directory;
}

static enum kozo_err model_make(const char *path, bool directory, uint8_t account)
{
    struct entry *e = model;

    if (!has_parent(path))
        return KOZO_ERR_NOT_FOUND;
    if (model_find(path) != nullptr)
        return KOZO_ERR_EXISTS;
    if (model_files(account) >= SHARE_FILES)
        return KOZO_ERR_LIMIT;
    if (model_files(STORE_NOBODY) >= FILES)
        return KOZO_ERR_FULL;
    while (e->used)
        e++;
    *e = (struct entry){ .used = true, .directory = directory, .account = account };
    strcpy(e->path, path);
    return KOZO_OK;
}

static enum kozo_err model_remove(const char *path)
{
    struct entry *e = model_find(path);

    if (e == nullptr)
        return KOZO_ERR_NOT_FOUND;
    if (has_children(e))
        return KOZO_ERR_NOT_EMPTY;
    e->used = false;
    return KOZO_OK;
}

static enum kozo_err model_rename(const char *from_path, const char *to)
{
    struct entry *e = model_find(from_path), *there = model_find(to);
    char old[64];

    if (e == nullptr || !has_parent(to))
        return KOZO_ERR_NOT_FOUND;
    if (there == e)
        return KOZO_OK;
    if (below(to, from_path))
        return KOZO_ERR_INSIDE;
    if (there != nullptr && there->directory != e->directory)
        return KOZO_ERR_TYPE;
    if (there != nullptr && has_children(there))
        return KOZO_ERR_NOT_EMPTY;
    if (there != nullptr)
        there->used = false;
    strcpy(old, from_path);
    for (uint32_t i = 0; i < MODEL_FILES; i++) {
        char rest[64];

        if (!model[i].used || (&model[i] != e && !below(model[i].path, old)))
            continue;
        strcpy(rest, model[i].path + strlen(old));
        snprintf(model[i].path, sizeof model[i].path, "%.30s%.30s", to, rest);
    }
    return KOZO_OK;
}

static enum kozo_err model_write(struct entry *e, uint8_t account, uint64_t offset,
                                 const uint8_t *bytes, uint64_t len)
{
    uint64_t first = offset / STORE_BLOCK, last = (offset + len - 1) / STORE_BLOCK;
    uint32_t need = 0;
    enum kozo_err err;

    if (len == 0)
        return KOZO_OK;
    for (uint64_t k = first; k <= last; k++)
        need += e->owner[k] == 0;
    need += last >= RAM_DIRECT && e->index == 0;
    err = model_may_have(account, need);
    if (err != KOZO_OK)
        return err;
    for (uint64_t k = first; k <= last; k++)
        if (e->owner[k] == 0)
            e->owner[k] = account + 1;
    if (last >= RAM_DIRECT && e->index == 0)
        e->index = account + 1;
    memcpy(e->bytes + offset, bytes, len);
    if (offset + len > e->size)
        e->size = offset + len;
    return KOZO_OK;
}

static void model_truncate(struct entry *e, uint64_t size)
{
    uint64_t keep = (size + STORE_BLOCK - 1) / STORE_BLOCK;

    if (size < e->size) {
        memset(e->bytes + size, 0, MODEL_BYTES - size);
        for (uint64_t k = keep; k < MODEL_BLOCKS; k++)
            e->owner[k] = 0;
        if (keep <= RAM_DIRECT)
            e->index = 0;
    }
    e->size = size;
}

/* ---- one against the other ---- */

static const char *some_path(char to[64])
{
    static const char *const names[] = { "ram/a",   "ram/b",     "ram/d",     "ram/d/a",
                                         "ram/d/e", "ram/d/e/a", "ram/f",     "ram/f/a",
                                         "ram/f/d", "ram/d/e/b", "ram/f/d/a", "ram/g" };

    return strcpy(to, names[dice(sizeof names / sizeof names[0])]);
}

static struct entry *some_file(void)
{
    for (uint32_t tries = 0; tries < 16; tries++) {
        struct entry *e = &model[dice(MODEL_FILES)];

        if (e->used && !e->directory)
            return e;
    }
    return nullptr;
}

/* The file by a capability of the client whose turn it is. */
static uint64_t by_client(const struct entry *e)
{
    CHECK_OK(open_path(e->path, RIGHT_READ | RIGHT_WRITE));
    return opened;
}

static uint8_t bytes[DATA_MAX];

static void step_write(uint8_t account, bool through_frames)
{
    struct entry *e = some_file();
    uint64_t offset, len;
    enum kozo_err err;
    bool vanish = through_frames && dice(4) == 0;

    if (e == nullptr)
        return;
    len = dice(through_frames ? DATA_MAX : KOZO_FILE_CHUNK) + (through_frames ? 1 : 0);
    offset = dice(4) == 0 ? e->size : dice(MODEL_BYTES - DATA_MAX);
    if (offset + len > MODEL_BYTES)
        return;
    memset(bytes, (int)dice(256), len);
    if (!through_frames) {
        err = write_at(by_client(e), offset, bytes, len);
        CHECK_EQ(err, model_write(e, account, offset, bytes, len));
        return;
    }
    for (unsigned i = 0; i < KOZO_FILE_FRAMES; i++)
        frames[i] = (struct lent){ bytes + i * (DATA_MAX / 4), DATA_MAX / 4 };
    frames[2].len = DATA_MAX / 2;
    copies_left = vanish ? dice(2) : UINT32_MAX;
    err = bulk(true, by_client(e), offset, len, 0, 3);
    copies_left = UINT32_MAX;
    if (err != KOZO_ERR_GONE)
        CHECK_EQ(err, model_write(e, account, offset, bytes, len));
}

static void step(uint32_t client)
{
    char a[64], b[64];
    struct entry *e;
    bool directory;

    speaker = identity_badge(client, 1);
    switch (dice(8)) {
    case 0:
    case 1:
        directory = dice(2) == 0;
        some_path(a);
        CHECK_EQ(directory ? make_dir(a) : make(a), model_make(a, directory, (uint8_t)client));
        return;
    case 2:
        some_path(a);
        CHECK_EQ(remove_path(a), model_remove(a));
        return;
    case 3:
        some_path(a);
        some_path(b);
        CHECK_EQ(rename_path(a, b), model_rename(a, b));
        return;
    case 4:
        e = some_file();
        if (e != nullptr && dice(2) == 0) {
            uint64_t size = dice(MODEL_BYTES);

            CHECK_OK(truncate_to(by_client(e), size));
            model_truncate(e, size);
        }
        return;
    default:
        step_write((uint8_t)client, dice(2) == 0);
    }
}

static void compare_bytes(const struct entry *e, uint64_t file)
{
    static uint8_t back[DATA_MAX];

    frames[0] = (struct lent){ back, sizeof back };
    for (uint64_t at = 0; at < e->size; at += moved) {
        CHECK_OK(bulk(false, file, at, e->size - at, 0, 1));
        CHECK(moved > 0);
        CHECK_EQ(memcmp(back, e->bytes + at, moved), 0);
    }
}

static void compare(void)
{
    speaker = CLIENT;
    for (uint32_t i = 0; i < MODEL_FILES; i++) {
        if (!model[i].used)
            continue;
        CHECK_OK(open_path(model[i].path, RIGHT_READ));
        CHECK_OK(stat_of(opened));
        CHECK_EQ(status.type, model[i].directory ? KOZO_FILE_DIRECTORY : KOZO_FILE_REGULAR);
        CHECK_EQ(status.size, model[i].size);
        compare_bytes(&model[i], opened);
    }
    for (uint32_t c = 0; c < CLIENTS; c++) {
        struct fs_usage_rep u = usage(identity_badge(c, 1));

        CHECK_EQ(u.bytes, model_blocks((uint8_t)c) * (uint64_t)STORE_BLOCK);
        CHECK_EQ(u.files, model_files((uint8_t)c));
        CHECK_EQ(u.free_files, FILES - model_files(STORE_NOBODY));
        CHECK_EQ(u.free_bytes,
                 (STORE - STORE_RESERVE - model_blocks(STORE_NOBODY)) * (uint64_t)STORE_BLOCK);
    }
    check_all();
}

TEST(random_operations_end_as_the_model_says)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        state = seed;
        memset(model, 0, sizeof model);
        serve_sized(STORE, FILES + 1, SHARE, SHARE_FILES);
        for (uint32_t i = 0; i < 600; i++) {
            step(dice(CLIENTS));
            if (i % 8 == 0)
                compare();
        }
        compare();
        unit_alive();
    }
    speaker = CLIENT;
}

/* ---- what was refused is told ---- */

static char told[DENIAL_BYTES];

static void hear(void *, struct kozo_str line) { kozo_str_copy(told, sizeof told, line); }

/* What is said of the last request. */
static const char *said(enum kozo_err err, uint64_t badge)
{
    static struct denials d;
    struct manifest names = { .services = 2 };
    struct kozo_msg m = from(badge);

    names.service[1].name = kozo_str("greedy");
    told[0] = '\0';
    memset(&d, 0, sizeof d);
    deny(&d, &names, &server, &m, err, 1, hear);
    return told;
}

TEST(what_is_refused_is_told_by_name)
{
    serve_usual();
    CHECK_OK(make_dir("ram/d"));
    CHECK_OK(make("ram/d/f"));
    speaker = OTHER;
    may = RIGHT_READ | RIGHT_CREATE;
    CHECK_ERR(open_path("ram/d/f", RIGHT_READ | RIGHT_WRITE), RIGHTS);
    CHECK_STR(said(KOZO_ERR_RIGHTS, OTHER),
              "denied: who=greedy object=\"fs:/ram/d/f\" asked=\"read write\" "
              "held=\"read create\" rule=none "
              "hint=\"its capability was given without; ask its giver for one with more\"");
    CHECK_OK(open_path("ram/d/f", RIGHT_READ));
    CHECK_ERR(truncate_to(opened, 0), RIGHTS);
    CHECK(strstr(said(KOZO_ERR_RIGHTS, opened),
                 "who=greedy object=\"fs:/ram/d/f\" asked=\"write\"") != nullptr);
    CHECK_ERR(remove_path("ram"), RIGHTS);
    CHECK(strstr(said(KOZO_ERR_RIGHTS, OTHER), "object=\"fs:/ram\" asked=\"remove\"") != nullptr);
    may = EVERYTHING;
    CHECK_OK(open_path("ram/d", RIGHT_CREATE | RIGHT_READ));
    uint64_t dir = opened;
    for (unsigned i = 0; i < SHARE_NODES; i++) {
        char name[16];

        snprintf(name, sizeof name, "ram/%u", i);
        CHECK_OK(make(name));
    }
    CHECK_ERR(make("ram/more"), LIMIT);
    CHECK(strstr(said(KOZO_ERR_LIMIT, OTHER),
                 "object=\"fs:/ram/more\" asked=\"more than its share") != nullptr);
    CHECK_STR(said(KOZO_ERR_NOT_FOUND, OTHER), "");
    CHECK_STR(said(KOZO_ERR_RIGHTS, dir ^ 1ull << 44), ""); /* stale: nobody's */
    speaker = CLIENT;
}
