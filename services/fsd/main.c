/* SPDX-License-Identifier: MIT */
/*
 * fsd - files: the initrd, read-only.
 *
 * A file is a capability to this service's endpoint, with the file as its badge and what may be
 * done with it as its user rights; the kernel delivers both, so there is nothing to ask about who
 * calls.
 */
#include "common/identity.h"
#include "fsd/serve.h"

#include <kozo/error.h>
#include <kozo/heap.h>
#include <kozo/log.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/syscall.h>

static struct fs_server server;

static void build_index(struct lookup *tree, const struct kozo_cpio *archive)
{
    struct kozo_bad bad = {};
    struct lookup_plan plan = lookup_plan(archive, &bad);
    enum kozo_err err = plan.err;
    void *memory = nullptr;

    if (err == KOZO_OK) {
        memory = malloc(plan.bytes);
        if (memory == nullptr)
            kozo_fatal("an index of %llu files needs %llu KiB: give [service %s] more heap",
                       (unsigned long long)plan.nodes,
                       (unsigned long long)(plan.bytes + 1023) / 1024, kozo_program_name());
        err = lookup_build(tree, archive, &plan, memory, &bad);
    }
    if (err == KOZO_ERR_FORMAT)
        kozo_fatal("initrd: %s = %#llx at byte %llu, expected %s", bad.field,
                   (unsigned long long)bad.value, (unsigned long long)bad.at, bad.want);
    if (err != KOZO_OK)
        kozo_fatal("initrd: %s", kozo_err_text(err));
}

[[noreturn]] static void serve(struct kozo_endpoint port)
{
    struct kozo_msg m;
    enum kozo_err err;

    kozo_msg_init(&m);
    for (err = kozo_recv(port, &m); err == KOZO_OK; err = kozo_reply_recv(port, &m))
        m.err = fs_dispatch(&fs_archive_ops, &server, &m);
    kozo_fatal("receive: %s", kozo_err_text(err));
}

/* Which life of this service it is: its own capability to the log says so. */
static uint32_t own_life(void)
{
    struct kozo_verified v = kozo_cap_verify(kozo_own(kozo_cap("log")), kozo_own(0));

    return identity_life(v.badge);
}

int main(int argc, char **argv)
{
    struct kozo_mapping initrd = kozo_mapping("initrd");
    struct kozo_cpio archive = { initrd.at, initrd.bytes };

    (void)argc;
    (void)argv;
    if (initrd.at == nullptr)
        kozo_fatal("needs the capability initrd");
    build_index(&server.tree, &archive);
    server.generation = own_life();
    server.port = kozo_cap("serve");
    (void)kozo_ready();
    serve((struct kozo_endpoint){ server.port });
}
