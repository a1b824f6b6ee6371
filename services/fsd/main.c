/* SPDX-License-Identifier: MIT */
/*
 * fsd - files: the initrd, read-only, and a memory filesystem at /ram.
 *
 * A file is a capability to this service's endpoint, with the file as its badge and what may be
 * done with it as its user rights; the kernel delivers both, so there is nothing to ask about who
 * calls.
 */
#include "fsd/deny.h"
#include "fsd/give.h"

#include <kozo/error.h>
#include <kozo/heap.h>
#include <kozo/log.h>
#include <kozo/memory.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/time.h>

/* Of the own Untyped that much is not for files: page tables, and the thread that copies. */
constexpr uint64_t spare = 64 * KOZO_PAGE_SIZE;

static struct fs_server server = { .lend = &lend_frames, .origins.ops = &give_slots };
static struct manifest manifest; /* for the names of clients; empty without it */
static struct denials denials;
static uint64_t untold = UINT64_MAX; /* when what was counted of them has to be told */

/* ---- the archive ---- */

static void build_index(struct lookup *tree, const struct kozo_cpio *archive)
{
    struct kozo_bad bad = {};
    struct lookup_plan plan = lookup_plan(archive, &bad);
    enum kozo_err err = plan.err;
    void *memory = nullptr;
    char text[KOZO_BAD_TEXT];

    if (err == KOZO_OK) {
        memory = malloc(plan.bytes);
        if (memory == nullptr)
            kozo_fatal("an index of %llu files needs %llu KiB: give [service %s] more heap",
                       (unsigned long long)plan.nodes,
                       (unsigned long long)(plan.bytes + 1023) / 1024, kozo_program_name());
        err = lookup_build(tree, archive, memory, &bad);
    }
    if (err == KOZO_ERR_FORMAT)
        kozo_fatal("initrd: %s, expected %s", kozo_bad_text(&bad, text), bad.want);
    if (err != KOZO_OK)
        kozo_fatal("initrd: %s", kozo_err_text(err));
    if (lookup_path(tree, NODE_ROOT, kozo_str(RAM_MOUNT)) != NODE_NONE)
        kozo_fatal("initrd: /" RAM_MOUNT
                   " is where the memory filesystem lies: give it another name");
}

/* ---- the memory filesystem ---- */

/* `name=NUMBER` of the arguments; `otherwise` where it is not there. */
static uint64_t option(int argc, char **argv, const char *name, uint64_t otherwise)
{
    uint64_t value = otherwise, length = strlen(name);

    for (int i = 1; i < argc; i++) {
        const char *text = argv[i] + length + 1;

        if (strncmp(argv[i], name, length) != 0 || argv[i][length] != '=')
            continue;
        if (!kozo_parse_u64(text, strlen(text), &value) || value == 0)
            kozo_fatal("args: %s, expected a number from 1 on", argv[i]);
    }
    return value;
}

static void check_options(int argc, char **argv)
{
    static const char *const names[] = { "files=", "share_kib=", "share_files=" };

    for (int i = 1; i < argc; i++) {
        bool known = false;

        for (unsigned k = 0; k < sizeof names / sizeof names[0]; k++)
            known = known || strncmp(argv[i], names[k], strlen(names[k])) == 0;
        if (!known)
            kozo_fatal("args: %s, expected files=N, share_kib=N or share_files=N", argv[i]);
    }
}

static uint32_t at_most(uint64_t value, uint64_t most)
{
    return (uint32_t)(value < most ? value : most);
}

/* As much memory as the own Untyped has, but for what is needed beside. */
static struct kozo_memory take_memory(void)
{
    struct kozo_untyped_info info = kozo_untyped_info(kozo_own_untyped());
    uint64_t bytes = info.free > spare ? info.free - spare : 0;

    if (info.err != KOZO_OK || bytes < KOZO_LARGE_SIZE)
        kozo_fatal("needs memory for files: give [service %s] untyped = 4M or more",
                   kozo_program_name());
    return kozo_memory_alloc(kozo_own_untyped(), bytes - bytes % KOZO_LARGE_SIZE);
}

static void make_ram(int argc, char **argv)
{
    struct kozo_memory m = take_memory();
    struct ram_plan plan = { .blocks = (uint32_t)(m.bytes / STORE_BLOCK) };
    void *tables;

    if (m.err != KOZO_OK)
        kozo_fatal("memory for files: %s", kozo_err_text(m.err));
    check_options(argc, argv);
    plan.nodes = at_most(option(argc, argv, "files", 1024), RAM_NODES - 1) + 1;
    plan.share_blocks = at_most(
        option(argc, argv, "share_kib", m.bytes / 1024 / 8) * 1024 / STORE_BLOCK, plan.blocks);
    plan.share_nodes = at_most(option(argc, argv, "share_files", plan.nodes / 8), plan.nodes);
    tables = malloc(ram_plan_bytes(&plan));
    if (tables == nullptr)
        kozo_fatal("%u files need %llu KiB: give [service %s] more heap", plan.nodes,
                   (unsigned long long)(ram_plan_bytes(&plan) + 1023) / 1024, kozo_program_name());
    ram_begin(&server, &plan, m.at, tables);
}

/* ---- the loop ---- */

/* What came with a request is used up, and what came unasked unwelcome. */
static void drop_received(kozo_cptr window, uint8_t received)
{
    for (unsigned i = 0; i < KOZO_FILE_FRAMES; i++)
        if ((received >> i & 1) != 0)
            (void)kozo_cap_delete(kozo_own(window + i));
}

static void print(void *, struct kozo_str line) { kozo_printf("%.*s\n", (int)line.len, line.at); }

static void tell_counted(void)
{
    denial_settle(&denials, kozo_now(), print, nullptr);
    untold = denial_deadline(&denials);
}

/* The next message, after the answer if one is owed; meanwhile tells what was denied. */
static enum kozo_err next(struct kozo_endpoint port, struct kozo_msg *m, bool answer)
{
    for (;; answer = false) {
        enum kozo_err err;

        if (untold == UINT64_MAX)
            kozo_msg_no_deadline(m);
        else
            kozo_msg_deadline(m, untold);
        err = answer ? kozo_reply_recv(port, m) : kozo_recv(port, m);
        if (untold != UINT64_MAX)
            tell_counted();
        if (err != KOZO_ERR_TIMEOUT)
            return err;
    }
}

static void tell(const struct kozo_msg *m)
{
    deny(&denials, &manifest, &server, m, m->err, kozo_now(), print);
    untold = denial_deadline(&denials);
}

[[noreturn]] static void serve(struct kozo_endpoint port, kozo_cptr window)
{
    struct kozo_msg m;
    enum kozo_err err;

    kozo_msg_init(&m);
    kozo_msg_window(&m, window, KOZO_FILE_FRAMES);
    for (err = next(port, &m, false); err == KOZO_OK; err = next(port, &m, true)) {
        uint8_t received = m.received;

        m.err = fs_dispatch(&files_ops, &server, &m);
        drop_received(window, received);
        if (m.err != KOZO_OK)
            tell(&m);
    }
    kozo_fatal("receive: %s", kozo_err_text(err));
}

int main(int argc, char **argv)
{
    struct kozo_mapping initrd = kozo_mapping("initrd"), names = kozo_mapping("manifest");
    struct kozo_cpio archive = { initrd.at, initrd.bytes };
    kozo_cptr window = kozo_slots_alloc(KOZO_FILE_FRAMES);
    enum kozo_err err;

    if (initrd.at == nullptr)
        kozo_fatal("needs the capability initrd");
    if (names.at != nullptr)
        (void)manifest_parse(&manifest, (struct kozo_str){ names.at, names.bytes });
    build_index(&server.tree, &archive);
    make_ram(argc, argv);
    err = lend_begin();
    if (err != KOZO_OK || window == 0)
        kozo_fatal("a thread that copies: %s", kozo_err_text(err));
    err = give_begin(kozo_cap_endpoint("serve"));
    if (err != KOZO_OK)
        kozo_fatal("slots for leases: %s", kozo_err_text(err));
    (void)kozo_ready();
    serve(kozo_cap_endpoint("serve"), window);
}
