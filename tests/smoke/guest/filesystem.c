/* SPDX-License-Identifier: MIT */
#include "filesystem.h"

#include <kozo/log.h>

#define ROOT_BADGE(client, life) ((uint64_t)(life) << 32 | ((client) + 1))

constexpr uint32_t URGENT = 32;
constexpr uint32_t LATER = 96;

struct filesystem fsd;

static uint64_t digits(const char *s)
{
    uint64_t n = 0;

    while (s[n] >= '0' && s[n] <= '9')
        n++;
    return n;
}

/* `denied: who=... object=...`, or `denied: who=... and 37 more since 1200 ms`. */
static void hear(struct kozo_msg *m)
{
    struct log_write_req req;
    char text[401];
    const char *more;
    uint64_t n = 1;

    if (KOZO_REQUEST_OP(m->label) != LOG_OP_WRITE || !log_get_write_req(m, &req))
        return;
    kozo_str_copy(text, sizeof text, req.text);
    if (strncmp(text, "denied: ", 8) != 0)
        return;
    more = strstr(text, " and ");
    if (more != nullptr)
        (void)kozo_parse_u64(more + 5, digits(more + 5), &n);
    if (fsd.lines++ == 0)
        kozo_str_copy(fsd.said, sizeof fsd.said, req.text);
    fsd.denied += n;
}

static void supervise(void *)
{
    struct kozo_msg m;
    enum kozo_err err;

    kozo_msg_init(&m);
    for (err = kozo_recv(fsd.log, &m); err == KOZO_OK; err = kozo_reply_recv(fsd.log, &m)) {
        fsd.ended = fsd.ended || (m.what & KOZO_MSG_FAULT) != 0;
        hear(&m);
        if (fsd.ended || KOZO_REQUEST_OP(m.label) == LOG_OP_READY)
            (void)kozo_signal(fsd.ready, 1);
        kozo_msg_begin(&m, fsd.ended ? KOZO_ERR_DENIED : KOZO_OK);
    }
}

static bool begin(uint32_t life, int argc, const char *const *argv)
{
    const struct kozo_boot_info *b = kozo_boot_info();
    const struct kozo_cpio archive = kozo_test_initrd();
    struct kozo_cpio_entry program = {};
    struct kozo_bad bad = {};
    const struct kozo_spawn_cap caps[] = {
        { "log", kozo_own(fsd.log.c), KOZO_WRITE, ROOT_BADGE(2, life), false },
        { "serve", kozo_own(fsd.port.c), KOZO_SAME_RIGHTS, 0, false },
    };
    const struct kozo_spawn_map maps[] = {
        { "initrd",
          { b->initrd_small, b->initrd_large, b->initrd_tail },
          b->initrd_bytes,
          KOZO_READ },
    };

    if (!KOZO_CHECK_OK(kozo_cpio_find(&archive, "bin/fsd", &program, &bad)))
        return false;
    fsd.ended = false;
    fsd.lines = 0;
    fsd.denied = 0;
    fsd.process = kozo_test_spawn(&(struct kozo_spawn){
        .name = "fsd",
        .image = program.data,
        .image_bytes = program.size,
        .argc = argc,
        .argv = argv,
        .memory = fsd.memory,
        .pool = fsd.pool,
        .fault = fsd.log,
        .caps = caps,
        .ncaps = 2,
        .maps = maps,
        .nmaps = 1,
        .heap_pages = 256,
        .priority = LATER,
        .give = 1u << KOZO_SLOT_CNODE | 1u << KOZO_SLOT_SPACE,
        .give_threads = 1,
        .give_bits = 23,
    });
    (void)kozo_wait(fsd.ready);
    return KOZO_CHECK(!fsd.ended);
}

bool filesystem_start(int argc, const char *const *argv)
{
    fsd.log = kozo_test_endpoint();
    fsd.port = kozo_test_endpoint();
    fsd.ready = kozo_test_notification();
    fsd.memory = kozo_test_untyped(24);
    fsd.pool.c = kozo_test_slot();
    KOZO_CHECK_OK(kozo_pool_split(kozo_test_pool(), kozo_own(fsd.pool.c), 2));
    (void)kozo_test_thread(supervise, nullptr, URGENT);
    return begin(1, argc, argv);
}

bool filesystem_restart(void)
{
    kozo_process_destroy(&fsd.process);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(fsd.port.c)));
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(fsd.port.c)));
    fsd.port = kozo_test_endpoint();
    return begin(2, 0, nullptr);
}

struct kozo_endpoint filesystem_client(uint32_t number)
{
    return kozo_test_mint(fsd.port, KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT, 0xff),
                          ROOT_BADGE(number, 1));
}
