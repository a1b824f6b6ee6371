/* SPDX-License-Identifier: MIT */
/*
 * elf.c - the bytes are a program. What is accepted can be loaded without another look.
 */
#include "fuzz.h"

#include <kozo/elf.h>
#include <string.h>

static uint64_t page_of(uint64_t address) { return address / KOZO_PAGE_SIZE; }

static void check_segment(const struct kozo_elf *elf, uint32_t i, uint64_t bytes)
{
    const struct kozo_elf_segment *s = &elf->segment[i];

    MUST(s->memsz > 0 && s->filesz <= s->memsz && s->memsz <= KOZO_ELF_BYTES);
    if (s->filesz != 0)
        MUST(s->offset <= bytes && s->filesz <= bytes - s->offset);
    MUST(s->vaddr >= KOZO_USER_START && s->vaddr < KOZO_USER_END);
    MUST(s->memsz <= KOZO_USER_END - s->vaddr);
    MUST((s->rights & KOZO_READ) != 0);
    MUST((s->rights & ~(KOZO_READ | KOZO_WRITE | KOZO_EXECUTE)) == 0);
    MUST((s->rights & (KOZO_WRITE | KOZO_EXECUTE)) != (KOZO_WRITE | KOZO_EXECUTE));
    if (i > 0)
        MUST(page_of(s[-1].vaddr + s[-1].memsz - 1) < page_of(s->vaddr));
}

static bool entry_is_code(const struct kozo_elf *elf)
{
    for (uint32_t i = 0; i < elf->nsegments; i++)
        if (elf->entry >= elf->segment[i].vaddr &&
            elf->entry - elf->segment[i].vaddr < elf->segment[i].memsz)
            return (elf->segment[i].rights & KOZO_EXECUTE) != 0;
    return false;
}

static void check_elf(const struct kozo_elf *elf, uint64_t bytes)
{
    uint64_t total = 0;

    MUST(elf->nsegments > 0 && elf->nsegments <= KOZO_ELF_SEGMENTS);
    for (uint32_t i = 0; i < elf->nsegments; i++) {
        check_segment(elf, i, bytes);
        total += elf->segment[i].memsz;
    }
    MUST(total <= KOZO_ELF_BYTES);
    MUST(entry_is_code(elf));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    struct kozo_elf elf = {};
    struct kozo_bad bad = {};
    enum kozo_err err;

    if (size != 0)
        memcpy(copy + 1, data, size);
    err = kozo_elf_read(copy + 1, size, &elf, &bad);
    MUST(err == KOZO_OK || err == KOZO_ERR_FORMAT || err == KOZO_ERR_VERSION);
    if (err == KOZO_OK)
        check_elf(&elf, size);
    else
        MUST(bad.want != nullptr);
    if (err == KOZO_ERR_FORMAT)
        MUST(bad.field != nullptr && bad.at <= size);
    free(copy);
    return 0;
}
