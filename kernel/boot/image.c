/* SPDX-License-Identifier: MIT */
#include "arch/arch.h"
#include "base/log.h"
#include "boot/first.h"

#include <kozo/cmdline.h>
#include <kozo/cpio.h>
#include <string.h>

/* Names are as in the archive: a leading "/" or "./" says nothing. */
static struct kozo_word without_root(struct kozo_word name)
{
    if (name.len >= 2 && name.at[0] == '.' && name.at[1] == '/')
        return (struct kozo_word){ name.at + 2, name.len - 2 };
    if (name.len >= 1 && name.at[0] == '/')
        return (struct kozo_word){ name.at + 1, name.len - 1 };
    return name;
}

static void choose_name(const char *cmdline, struct first_image *image)
{
    struct kozo_word name;

    if (!kozo_cmdline_find((struct kozo_word){ cmdline, strlen(cmdline) }, "kozo.init", &name))
        name = (struct kozo_word){ "bin/init", sizeof "bin/init" - 1 };
    name = without_root(name);
    if (name.len == 0)
        panic("kozo.init= names no file, expected one of the initrd such as bin/init");
    if (name.len >= sizeof image->name)
        panic("kozo.init= names a file of %lu bytes, expected at most %lu", name.len,
              sizeof image->name - 1);
    for (uint64_t i = 0; i < name.len; i++)
        if (name.at[i] < ' ' || name.at[i] > '~' || name.at[i] == '\\')
            panic("kozo.init= has byte 0x%x at %lu, expected printable ASCII other than \\",
                  (uint8_t)name.at[i], i);
    memcpy(image->name, name.at, name.len);
    image->name[name.len] = '\0';
}

[[noreturn]] static void bad_image(const char *file, const struct kozo_bad *bad, enum kozo_err err)
{
    char text[KOZO_BAD_TEXT];

    if (bad->field == nullptr)
        panic("%s: %s", file, name_of_error(err));
    panic("%s: %s, expected %s", file, kozo_bad_text(bad, text), bad->want);
}

void image_find(const struct boot_input *in, struct first_image *image)
{
    const struct kozo_cpio archive = { arch_ram(in->initrd), in->initrd_bytes };
    struct kozo_cpio_entry e;
    struct kozo_bad bad = {};
    enum kozo_err err;

    if (in->initrd_bytes == 0)
        panic("no initrd: give one with -initrd FILE");
    choose_name(in->cmdline, image);
    err = kozo_cpio_find(&archive, image->name, &e, &bad);
    if (err == KOZO_ERR_NOT_FOUND)
        panic("initrd: no file %s, the first program (kozo.init= names another)", image->name);
    if (err != KOZO_OK)
        bad_image("initrd", &bad, err);
    if (KOZO_CPIO_TYPE(e.mode) != KOZO_CPIO_FILE)
        panic("initrd: %s is %s, expected a file", image->name, kozo_cpio_type_text(e.mode));
    err = kozo_elf_read(e.data, e.size, &image->elf, &bad);
    if (err != KOZO_OK)
        bad_image(image->name, &bad, err);
    image->bytes = e.data;
    klog("initrd: %lu bytes, first program %s, %lu bytes", in->initrd_bytes, image->name, e.size);
}

static void load_segment(struct first *f, const struct first_image *image,
                         const struct kozo_elf_segment *s)
{
    uint64_t base = align_down(s->vaddr, KOZO_PAGE_SIZE),
             end = align_up(s->vaddr + s->memsz, KOZO_PAGE_SIZE);
    struct paddr pages = boot_alloc(f->in, (end - base) / KOZO_PAGE_SIZE);

    memcpy((char *)arch_ram(pages) + (s->vaddr - base), image->bytes + s->offset, s->filesz);
    for (uint64_t at = base; at < end; at += KOZO_PAGE_SIZE)
        first_map(f, (struct paddr){ pages.v + (at - base) }, at, s->rights);
    f->end = max_u64(f->end, end);
}

void image_load(struct first *f, const struct first_image *image)
{
    for (uint32_t i = 0; i < image->elf.nsegments; i++)
        load_segment(f, image, &image->elf.segment[i]);
}
