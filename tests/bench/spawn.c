/* SPDX-License-Identifier: MIT */
/*
 * Processes.
 */
#include "spawn.h"

constexpr unsigned rounds = 5;
constexpr unsigned memory_bits = 20;

struct kozo_bytes child_image(void)
{
    struct kozo_cpio archive = kozo_test_initrd();
    struct kozo_cpio_entry e = {};
    struct kozo_bad bad;

    KOZO_CHECK_OK(kozo_cpio_find(&archive, "bin/child", &e, &bad));
    return (struct kozo_bytes){ e.data, e.size };
}

enum kozo_err child_spawn(const struct child *c, uint32_t heap_pages, struct kozo_process *p)
{
    struct kozo_spawn_cap caps[] = {
        { .name = "ep", .from = kozo_own(c->ep.c), .rights = c->rights, .badge = c->badge },
    };
    struct kozo_spawn how = {
        .name = "child",
        .image = c->image.at,
        .image_bytes = c->image.len,
        .argc = 1,
        .argv = &c->argument,
        .memory = c->memory,
        .pool = c->pool,
        .clock = { KOZO_INIT_CLOCK },
        .cnode_bits = 4,
        .stack_pages = 4,
        .heap_pages = heap_pages,
        .priority = URGENT,
        .caps = caps,
        .ncaps = 1,
    };
    struct kozo_spawn_report why;

    return kozo_spawn(&how, p, &why);
}

/* It begins by noting the counter. It is more urgent, so it begins when it is started. */
KOZO_TEST(spawn)
{
    struct series s = { .name = "spawn" };
    struct child c = { .rights = KOZO_WRITE, .badge = 5, .argument = "tell" };

    ROWS("spawn");
    c.image = child_image();
    c.memory = kozo_test_untyped(memory_bits);
    c.ep = kozo_test_endpoint();
    c.pool.c = kozo_test_slot();
    KOZO_REQUIRE_OK(kozo_pool_split(kozo_test_pool(), kozo_own(c.pool.c), 1));
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t begin = tick_long();
        struct kozo_process p;
        struct kozo_words x;
        enum kozo_err err = child_spawn(&c, 4, &p);

        KOZO_REQUIRE_OK(err);
        KOZO_REQUIRE_OK(kozo_recv_words(c.ep, &x));
        KOZO_CHECK(x.cap == 5 && x.w[0] > begin);
        series_add(&s, x.w[0] - begin - tick_cost);
        kozo_process_destroy(&p);
    }
    report(&s);
}
