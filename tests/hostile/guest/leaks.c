/* SPDX-License-Identifier: MIT */
/*
 * What must not cross: registers, floating point, buffers and memory of one thread in the hands of
 * another, or of the kernel in anybody's; and mappings that were taken away.
 */
#include "attack.h"

#include <kozo/memory.h>
#include <kozo/window.h>

constexpr uint8_t POISON = 0xa7;

static bool is_kernels(uint64_t word)
{
    return word >= 0xffff800000000000 &&
           word < 0xffffffffffff0000; /* small negative numbers aside */
}

WITH_REGISTERS(system_call, "syscall");

/* Every number, refused: registers come back as they were, or zero, and none holds an address of
 * the kernel. */
static void call_all(void *arg)
{
    uint64_t *bad = arg;

    for (uint64_t nr = 0; nr < KOZO_SYSCALL_LIMIT; nr++) {
        struct registers g, before;

        if (nr == KOZO_SYS_THREAD_EXIT)
            continue;
        fill(&g, 0x21);
        g.r[KOZO_REG_RAX] = nr;
        g.r[KOZO_REG_RDI] |= 1ull << 62; /* no capability */
        before = g;
        system_call(&g);
        for (unsigned k = 0; k < KOZO_REG_FS_BASE; k++) {
            bool told = k == KOZO_REG_RAX || k == KOZO_REG_RCX || k == KOZO_REG_R11;

            *bad += is_kernels(g.r[k]) || (!told && g.r[k] != before.r[k] && g.r[k] != 0);
        }
    }
}

KOZO_TEST(refused_calls_bring_back_nothing)
{
    struct witness v = witness();
    uint64_t bad = 0;
    struct seen s = watch(call_all, &bad);

    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_EXIT);
    KOZO_CHECK_EQ(bad, 0);
    unharmed(&v);
}

/* A message of n words: of the receiver's buffer nothing changes but those, for every n. */
KOZO_TEST(buffer_holds_the_message_and_nothing_else)
{
    struct witness v = witness();
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_worker r = doing_later(URGENT);
    struct doing d = { .nr = KOZO_SYS_RECV };
    const uint8_t *b = (const uint8_t *)buffer_of(&r);

    for (uint64_t n = 0; n <= KOZO_MSG_EXTRA; n++) {
        struct kozo_words x = { .cap = ep.c, .info = n };

        for (unsigned i = 0; i < KOZO_MSG_EXTRA; i++)
            kozo_buffer()->word[i] = 0x5ec2e7;
        d.x = (struct kozo_words){ .cap = ep.c };
        d.done = false;
        KOZO_REQUIRE_OK(kozo_worker_run(&r, do_it, &d));
        memset(buffer_of(&r), POISON, KOZO_BUFFER_BYTES);
        KOZO_REQUIRE_OK(kozo_ipc(KOZO_SYS_SEND, &x));
        AWAIT(d.done);
        for (unsigned i = 0; i < KOZO_BUFFER_BYTES; i++)
            if (i < 64 || i >= 64 + 8 * n)
                KOZO_REQUIRE(b[i] == POISON);
    }
    unharmed(&v);
}

KOZO_TEST(fault_tells_registers_and_nothing_else)
{
    struct witness v = witness();
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_words x = { .cap = ep.c };
    const uint8_t *b = (const uint8_t *)kozo_buffer();

    (void)kozo_test_thread_with(&(struct kozo_worker_options){ .priority = LATER, .fault = ep },
                                read_there, (void *)0xffffffff80000000);
    memset(kozo_buffer(), POISON, KOZO_BUFFER_BYTES);
    KOZO_REQUIRE_OK(kozo_ipc(KOZO_SYS_RECV, &x));
    for (unsigned i = 0; i < KOZO_BUFFER_BYTES; i++)
        if (i < 64 || i >= 64 + 8 * KOZO_REG_COUNT)
            KOZO_REQUIRE(b[i] == POISON);
    for (unsigned i = 0; i < KOZO_MSG_REGS; i++)
        KOZO_CHECK(!is_kernels(x.w[i]) || i == 1);
    for (unsigned i = 0; i < KOZO_REG_COUNT; i++)
        KOZO_CHECK(!is_kernels(kozo_buffer()->word[i]) ||
                   kozo_buffer()->word[i] == 0xffffffff80000000);
    unharmed(&v);
}

KOZO_TEST(what_is_told_of_a_thread_holds_no_kernel_address)
{
    struct witness v = witness();
    struct kozo_ipc_buffer *b = kozo_buffer();

    memset(b, POISON, sizeof(*b));
    KOZO_CHECK_OK(kozo_thread_info(v.w.thread).err);
    for (unsigned i = KOZO_THREAD_WORDS; i < KOZO_MSG_EXTRA; i++)
        KOZO_CHECK_EQ(b->word[i], 0x0101010101010101ull * POISON);
    for (unsigned i = 0; i < KOZO_THREAD_WORDS; i++)
        if (i != KOZO_THREAD_WORD_WAITS)
            KOZO_CHECK(!is_kernels(b->word[i]));
    unharmed(&v);
}

/* ---- floating point ---- */

/* Takes the whole FXSAVE image at once, then fills every register with the poison. */
__asm__(".pushsection .text.look_and_poison,\"ax\",@progbits\nlook_and_poison:\n"
        "fxsave64 (%rdi)\n movq $-1, %rax\n movq %rax, %xmm0\n punpcklqdq %xmm0, %xmm0\n"
        ".irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n movaps %xmm0, %xmm\\n\n.endr\n"
        "fldpi\n fldpi\n fldpi\n fldpi\n fldpi\n pushq $0x5f80\n ldmxcsr (%rsp)\n fldcw "
        "hostile_fcw(%rip)\n popq %rax\n ret\n"
        ".popsection\n");
[[gnu::used]] static const uint16_t fcw __asm__("hostile_fcw") = 0x077f;
extern void look_and_poison(void *image);

KOZO_TEST(floating_point_begins_clean_in_every_block)
{
    struct witness v = witness();
    alignas(16) static uint8_t image[512];

    for (unsigned i = 0; i < 100; i++) {
        struct kozo_worker w;

        memset(image, POISON, sizeof(image));
        w = kozo_test_thread_with(
            &(struct kozo_worker_options){ .priority = URGENT, .flags = KOZO_THREAD_FPU },
            look_and_poison, image);
        KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_FAULTED);
        KOZO_CHECK_EQ(image[0] | image[1] << 8, 0x37f);
        KOZO_CHECK_EQ(*(uint32_t *)(image + 24), 0x1f80);
        KOZO_CHECK_EQ(image[4], 0); /* no x87 register in use */
        for (unsigned k = 32; k < 416; k++)
            if (k >= 160 || k % 16 < 10) /* beside x87 registers nothing may be written */
                KOZO_REQUIRE(image[k] == 0);
        kozo_worker_end(&w);
    }
    unharmed(&v);
}

/* ---- mappings that were taken away ---- */

static struct kozo_frame page;
static uint64_t place;

static void map_page(uint64_t rights)
{
    page = kozo_test_frame();
    place = kozo_window_alloc(KOZO_WINDOW_SMALL, KOZO_PAGE_SIZE);
    KOZO_CHECK_OK(kozo_memory_map(page, place, rights));
    (void)*(volatile uint64_t *)place; /* its translation is known */
}

static void is_shut(void (*run)(void *), uint64_t access)
{
    struct seen s = watch(run, (void *)place);

    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
    KOZO_CHECK_EQ(address_of(&s), place);
    KOZO_CHECK_EQ(access_of(&s), access);
}

KOZO_TEST(translation_is_gone_after_unmap)
{
    struct witness v = witness();

    map_page(KOZO_READ | KOZO_WRITE);
    KOZO_CHECK_OK(kozo_unmap(kozo_own(page.c)));
    is_shut(read_there, KOZO_READ);
    unharmed(&v);
}

KOZO_TEST(translation_is_gone_after_protect)
{
    struct witness v = witness();

    map_page(KOZO_READ | KOZO_WRITE);
    *(volatile uint64_t *)place = 1;
    KOZO_CHECK_OK(kozo_protect(kozo_own(page.c), KOZO_READ));
    is_shut(write_there, KOZO_WRITE);
    unharmed(&v);
}

KOZO_TEST(translation_is_gone_when_its_capability_moves_and_goes)
{
    struct witness v = witness();
    struct kozo_cnode c = kozo_test_cnode(2);

    map_page(KOZO_READ | KOZO_WRITE);
    KOZO_CHECK_OK(kozo_cap_move(kozo_in(c, 1), kozo_own(page.c)));
    *(volatile uint64_t *)place = 2; /* moving is not unmapping */
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(c.c)));
    KOZO_CHECK(kozo_test_settle());
    is_shut(read_there, KOZO_READ);
    unharmed(&v);
}

/* Unmapped and given to another at the same address a thousand times: each sees its own page. */
KOZO_TEST(page_that_takes_the_place_of_another)
{
    struct witness v = witness();
    struct kozo_frame other = kozo_test_frame();

    map_page(KOZO_READ | KOZO_WRITE);
    *(volatile uint64_t *)place = 1000;
    for (uint64_t i = 0; i < 1000; i++) {
        struct kozo_frame out = i % 2 == 0 ? page : other, in = i % 2 == 0 ? other : page;

        KOZO_REQUIRE_OK(kozo_unmap(kozo_own(out.c)));
        KOZO_REQUIRE_OK(kozo_memory_map(in, place, KOZO_READ | KOZO_WRITE));
        KOZO_REQUIRE(*(volatile uint64_t *)place == (i % 2 == 0 ? i / 2 : 1000 + i / 2));
        KOZO_REQUIRE(i % 2 != 0 || *(volatile uint64_t *)place == i / 2);
        *(volatile uint64_t *)place += 1;
    }
    unharmed(&v);
}

KOZO_TEST(no_rights_make_a_page_writable_and_executable)
{
    struct witness v = witness();

    map_page(KOZO_READ | KOZO_EXECUTE);
    for (uint64_t rights = 0; rights < 1024; rights++) {
        enum kozo_err err = kozo_protect(kozo_own(page.c), rights);

        if ((rights & (KOZO_WRITE | KOZO_EXECUTE)) == (KOZO_WRITE | KOZO_EXECUTE) ||
            (rights & KOZO_READ) == 0 ||
            (rights & ~(uint64_t)(KOZO_READ | KOZO_WRITE | KOZO_EXECUTE)) != 0)
            KOZO_CHECK_ERR(err, KOZO_ERR_ARGUMENT);
        else
            KOZO_CHECK_OK(err);
    }
    unharmed(&v);
}

KOZO_TEST(nothing_is_mapped_outside_the_users_half)
{
    struct witness v = witness();
    struct kozo_frame f = kozo_test_frame();

    for (unsigned i = 47; i < 64; i++) {
        KOZO_CHECK_ERR(kozo_map(kozo_own_space(), f, 1ull << i, KOZO_READ), KOZO_ERR_ARGUMENT);
        KOZO_CHECK_ERR(kozo_map(kozo_own_space(), f, 0 - (1ull << i), KOZO_READ),
                       KOZO_ERR_ARGUMENT);
    }
    KOZO_CHECK_ERR(kozo_map(kozo_own_space(), f, 0, KOZO_READ), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_map(kozo_own_space(), f, KOZO_USER_END, KOZO_READ), KOZO_ERR_ARGUMENT);
    for (unsigned i = 0; i < 12; i++)
        KOZO_CHECK_ERR(kozo_map(kozo_own_space(), f, 0x600000000000 + (1ull << i), KOZO_READ),
                       KOZO_ERR_ALIGN);
    unharmed(&v);
}

/* ---- untyped arithmetic ---- */

KOZO_TEST(counts_and_sizes_that_wrap)
{
    struct witness v = witness();
    struct kozo_untyped u = kozo_test_untyped(14);
    kozo_cptr to = kozo_test_slot();
    static const uint64_t counts[] = { 0,          257,        1ull << 32, (1ull << 32) + 1,
                                       1ull << 52, 1ull << 63, UINT64_MAX };

    for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        for (unsigned bits = KOZO_UNTYPED_MIN_BITS; bits <= KOZO_UNTYPED_MAX_BITS; bits++)
            KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_UNTYPED, bits, kozo_own(to), counts[i]),
                           KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_UNTYPED, 14, kozo_own(to), 2), KOZO_ERR_NOMEM);
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_UNTYPED, 40, kozo_own(to), 256), KOZO_ERR_NOMEM);
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_CNODE, 20, kozo_own(to), 256), KOZO_ERR_NOMEM);
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_ENDPOINT, 0, kozo_own(4095), 2), KOZO_ERR_ADDRESS);
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_ENDPOINT, 0, kozo_own(UINT64_MAX), 2),
                   KOZO_ERR_ADDRESS);
    KOZO_CHECK_EQ(kozo_untyped_info(u).free, 1 << 14);
    KOZO_CHECK_EQ(kind_at(to), KOZO_KIND_NULL);
    unharmed(&v);
}

/* ---- what the Debug capability shows ---- */

static const struct kozo_debug debug = { KOZO_INIT_DEBUG };

/* RAM and image as the kernel sees them; identities, which look random, all but never lie there. */
static bool is_mapped(uint64_t word)
{
    return word - 0xffff800000000000 < 1ull << 33 || word - 0xffffffff80000000 < 1ull << 26;
}

/* A call wrote so many words to the poisoned buffer: none is an address, the rest is as before. */
static void check_told(uint64_t words)
{
    const struct kozo_ipc_buffer *b = kozo_buffer();

    for (uint64_t i = 0; i < words; i++)
        KOZO_CHECK(!is_mapped(b->word[i]));
    for (uint64_t i = words; i < KOZO_MSG_EXTRA; i++)
        KOZO_CHECK_EQ(b->word[i], 0x0101010101010101ull * POISON);
}

KOZO_TEST(recorded_events_hold_no_kernel_address)
{
    struct witness v = witness();
    struct kozo_events e = { .err = KOZO_OK };
    uint64_t seen = 0;

    KOZO_CHECK_OK(kozo_debug_trace(debug, (1ull << KOZO_TRACE_COUNT) - 1));
    (void)kozo_test_endpoint();
    unharmed(&v);
    KOZO_CHECK_OK(kozo_debug_trace(debug, 0));
    do {
        memset(kozo_buffer(), POISON, KOZO_BUFFER_BYTES);
        e = kozo_debug_events(debug, e.next);
        KOZO_REQUIRE_OK(e.err);
        check_told(4 * e.count);
        seen += e.count;
    } while (e.count > 0);
    KOZO_CHECK(seen > 0);
}

KOZO_TEST(the_derivation_tree_holds_no_kernel_address)
{
    struct witness v = witness();
    struct kozo_raw r = {};
    uint64_t seen = 0;

    do {
        memset(kozo_buffer(), POISON, KOZO_BUFFER_BYTES);
        r = kozo_syscall(KOZO_SYS_DEBUG_TREE, debug.c, 0, 0, r.a);
        KOZO_REQUIRE_OK(r.err);
        KOZO_CHECK(!is_mapped(r.c));
        check_told(4 * r.b);
        seen += r.b;
    } while (r.a != 0);
    KOZO_CHECK(seen > 20);
    unharmed(&v);
}

KOZO_TEST(the_log_is_told_to_its_end_and_no_further)
{
    struct kozo_raw r = { .a = 0 };
    uint64_t seen = 0;

    do {
        const char *text = (const char *)kozo_buffer()->word;

        memset(kozo_buffer(), POISON, KOZO_BUFFER_BYTES);
        r = kozo_syscall(KOZO_SYS_DEBUG_LOG, debug.c, r.a);
        KOZO_REQUIRE_OK(r.err);
        for (uint64_t i = 0; i < r.b; i++)
            KOZO_CHECK(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
        for (uint64_t i = (r.b + 7) / 8 * 8; i < KOZO_MSG_EXTRA * 8; i++)
            KOZO_CHECK_EQ((uint8_t)text[i], POISON);
        seen += r.b;
    } while (r.b > 0);
    KOZO_CHECK(seen > 0);
}
