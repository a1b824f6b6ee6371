/* SPDX-License-Identifier: MIT */
#include <kozo/start.h>

#include "internal.h"

#include <kozo/heap.h>
#include <kozo/layout.h>
#include <kozo/msg.h>
#include <kozo/print.h>
#include <kozo/stack.h>
#include <kozo/string.h>
#include <kozo/syscall.h>

#include <stdarg.h>

/* The note by which loaders know the ABI this program was built for. */
struct note {
    uint32_t name_bytes, desc_bytes, type;
    char name[8];
    uint32_t major, minor;
};
[[gnu::used, gnu::section(".note.kozo"), gnu::aligned(4)]] static const struct note note = {
    .name_bytes = sizeof(KOZO_NOTE_OWNER),
    .desc_bytes = 8,
    .type = KOZO_NOTE_ABI,
    .name = KOZO_NOTE_OWNER,
    .major = KOZO_ABI_MAJOR,
    .minor = KOZO_ABI_MINOR,
};

const struct kozo_start_head *kozo_head;
struct kozo_ipc_buffer *kozo_first_buffer;

const struct kozo_start *kozo_start(void)
{
    if (kozo_head == nullptr || kozo_head->kind != KOZO_START_PROGRAM)
        return nullptr;
    return (const struct kozo_start *)kozo_head;
}

const struct kozo_boot_info *kozo_boot_info(void)
{
    if (kozo_head == nullptr || kozo_head->kind != KOZO_START_INIT)
        return nullptr;
    return (const struct kozo_boot_info *)kozo_head;
}

kozo_cptr kozo_cap(const char *name)
{
    const struct kozo_start *s = kozo_start();

    for (uint32_t i = 0; s != nullptr && i < s->ncaps; i++)
        if (strcmp(s->cap[i].name, name) == 0)
            return s->cap[i].slot;
    return 0;
}

struct kozo_mapping kozo_mapping(const char *name)
{
    const struct kozo_start *s = kozo_start();

    for (uint32_t i = 0; s != nullptr && i < s->nmaps; i++)
        if (strcmp(s->map[i].name, name) == 0)
            return (struct kozo_mapping){ (const void *)s->map[i].at, s->map[i].bytes };
    return (struct kozo_mapping){};
}

const char *kozo_program_name(void)
{
    const struct kozo_start *s = kozo_start();

    return s == nullptr ? "init" : s->service;
}

/* The fixed slot if something was given in it; init's have other numbers. */
static kozo_cptr own(enum kozo_program_slot slot, enum kozo_init_slot in_init)
{
    const struct kozo_start *s = kozo_start();

    if (s == nullptr)
        return in_init;
    return (s->given & 1u << slot) != 0 ? (kozo_cptr)slot : 0;
}

struct kozo_cnode kozo_own_cnode(void)
{
    return (struct kozo_cnode){ own(KOZO_SLOT_CNODE, KOZO_INIT_CNODE) };
}

struct kozo_thread kozo_own_thread(void)
{
    return (struct kozo_thread){ own(KOZO_SLOT_THREAD, KOZO_INIT_THREAD) };
}

struct kozo_space kozo_own_space(void)
{
    return (struct kozo_space){ own(KOZO_SLOT_SPACE, KOZO_INIT_SPACE) };
}

struct kozo_pool kozo_own_pool(void)
{
    return (struct kozo_pool){ own(KOZO_SLOT_POOL, KOZO_INIT_POOL) };
}

struct kozo_untyped kozo_own_untyped(void)
{
    return (struct kozo_untyped){ own(KOZO_SLOT_UNTYPED, KOZO_INIT_NONE) };
}

void kozo_exit(int code)
{
    kozo_print_flush();
    kozo_thread_exit((uint64_t)code);
}

void kozo_fatal(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    kozo_printf("%s: ", kozo_program_name());
    kozo_vprintf(format, args);
    kozo_printf("\n");
    va_end(args);
    kozo_exit(1);
}

/* ---- the start ---- */

static char *argv[KOZO_START_ARGS + 1];

/* argv points into the start page, which is read-only. */
static int fill_argv(const struct kozo_start *s)
{
    const char *at = s->args, *end = s->args + sizeof(s->args);
    unsigned argc = 0;

    for (; argc < s->argc && argc < KOZO_START_ARGS && at < end; argc++) {
        argv[argc] = (char *)(uintptr_t)at;
        at += strnlen(at, (size_t)(end - at)) + 1;
    }
    return (int)argc;
}

static int start_program(const struct kozo_start *s)
{
    if (s->version != KOZO_START_VERSION)
        kozo_thread_exit(KOZO_ERR_VERSION);
    kozo_stack_paint(s->stack);
    kozo_slots_init(s->free);
    kozo_window_init(s->mixed);
    kozo_heap_init((void *)s->heap, (void *)s->heap_end);
    return fill_argv(s);
}

static int start_init(const struct kozo_boot_info *b)
{
    static char name[] = "init";

    kozo_stack_paint((uint64_t)b + KOZO_LAYOUT_INIT_STACK);
    kozo_slots_init(b->free);
    argv[0] = name;
    return 1;
}

void kozo_start_main(const struct kozo_start_head *head)
{
    int argc;

    if (head->magic != KOZO_START_MAGIC)
        kozo_thread_exit(KOZO_ERR_FORMAT);
    kozo_head = head;
    kozo_first_buffer = (struct kozo_ipc_buffer *)head->buffer;
    if (head->kind == KOZO_START_INIT)
        argc = start_init((const struct kozo_boot_info *)head);
    else
        argc = start_program((const struct kozo_start *)head);
    kozo_exit(main(argc, argv));
}
