/* SPDX-License-Identifier: MIT */
/*
 * arguments.c - the arguments of a system call, a letter for each kind of argument.
 *
 *   a pair of words that names a slot:  c empty  C occupied  Q holds a mapped Frame
 *   a capability:   u Untyped  p ThreadPool  t Thread  V Thread, stopped if there is one
 *                   A AddressSpace  g PageTable  F Frame  T Notification  E Endpoint
 *                   I IrqControl  h IrqHandler  j IoPort  D Debug
 *   the same or 0:  o CNode  a AddressSpace  m Frame  e Endpoint  N Notification  X Reply
 *   a number:       r rights of a copy  R the same, or a fresh badge  b badge  w what to make
 *                   n how many  y bytes  k threads  f flags  P priority  i instruction address
 *                   O offset of a buffer  M address to map at  q rights to map  l line  x bits
 *                   J port  W width  s info to send  d info to receive  z info to wait
 *                   K which destruction  S small number  v anything
 */
#include "arguments.h"

#include <string.h>

/* ---- what the running thread has ---- */

const struct m_object *own_cnode(void)
{
    return m->current != nullptr && m->current->binding[M_CSPACE] != nullptr
               ? m->current->binding[M_CSPACE]->object
               : nullptr;
}

uint64_t slots_of(const struct m_object *cnode) { return 1ull << cnode->bits; }

/* A slot of the CNode that `fits`; from a random one on, so that all have a chance. 0 when there is
 * none. */
uint64_t slot_where(struct dice *d, const struct m_object *cnode,
                    bool (*fits)(const struct m_cap *, uint64_t), uint64_t with)
{
    uint64_t from = dice_below(d, slots_of(cnode));

    for (uint64_t i = 0; i < slots_of(cnode); i++) {
        uint64_t at = (from + i) % slots_of(cnode);

        if (at != 0 && fits(cnode->cnode.slot[at], with))
            return at;
    }
    return 0;
}

bool is_empty(const struct m_cap *c, uint64_t with) { return c == nullptr && with == 0; }
bool is_full(const struct m_cap *c, uint64_t with) { return c != nullptr && with == 0; }
bool is_kind(const struct m_cap *c, uint64_t kind) { return c != nullptr && c->kind == kind; }
bool is_mapped(const struct m_cap *c, uint64_t kind)
{
    return is_kind(c, kind) && m_frame_entry(c) != nullptr;
}
static bool is_stopped(const struct m_cap *c, uint64_t kind)
{
    return is_kind(c, kind) && m_is_stopped(c->object->thread);
}

/* An address that may be wrong. */
uint64_t odd_slot(struct dice *d, const struct m_object *cnode)
{
    return PICK(d, 0, 1, dice_below(d, slots_of(cnode)), slots_of(cnode) - 1, slots_of(cnode),
                1ull << 32, ~0ull);
}

static uint64_t cap_that(struct dice *d, bool (*fits)(const struct m_cap *, uint64_t),
                         enum kozo_kind kind)
{
    const struct m_object *cnode = own_cnode();

    if (cnode == nullptr)
        return dice_below(d, 4);
    return dice_chance(d, 96) ? slot_where(d, cnode, fits, kind) : odd_slot(d, cnode);
}

static uint64_t cap_of_kind(struct dice *d, enum kozo_kind kind)
{
    return cap_that(d, is_kind, kind);
}

/* One that is stopped, if there is one. */
static uint64_t stopped_thread(struct dice *d)
{
    uint64_t at = dice_chance(d, 80) ? cap_that(d, is_stopped, KOZO_KIND_THREAD) : 0;

    return at != 0 ? at : cap_of_kind(d, KOZO_KIND_THREAD);
}

static uint64_t cap_or_none(struct dice *d, enum kozo_kind kind, uint32_t percent)
{
    return dice_chance(d, percent) ? cap_of_kind(d, kind) : 0;
}

/* The two words that name a slot: its CNode, and its index there. */
static void pair(struct dice *d, uint64_t *arg, bool (*fits)(const struct m_cap *, uint64_t),
                 uint64_t with)
{
    const struct m_object *cnode = own_cnode();

    arg[0] = arg[1] = 0;
    if (cnode == nullptr)
        return;
    if (dice_chance(d, 30))
        arg[0] = cap_of_kind(d, KOZO_KIND_CNODE);
    if (arg[0] != 0 && arg[0] < slots_of(cnode) &&
        is_kind(cnode->cnode.slot[arg[0]], KOZO_KIND_CNODE))
        cnode = cnode->cnode.slot[arg[0]]->object;
    arg[1] = dice_chance(d, 95) ? slot_where(d, cnode, fits, with) : odd_slot(d, cnode);
}

/* ---- numbers ---- */

static uint64_t what_to_make(struct dice *d)
{
    switch (dice_below(d, 12)) {
    case 0:
    case 1:
        return KOZO_WHAT(KOZO_KIND_UNTYPED,
                         PICK(d, 5, 6, 7, 9, 12, 13, 14, 16, 21, 22, 40, 41, 63, 64, 255));
    case 2:
    case 3:
        return KOZO_WHAT(KOZO_KIND_CNODE, PICK(d, 0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 13, 20, 21, 64));
    case 4:
        return KOZO_WHAT(KOZO_KIND_ENDPOINT, dice_chance(d, 5));
    case 5:
        return KOZO_WHAT(KOZO_KIND_NOTIFICATION, dice_chance(d, 5));
    case 6:
    case 7:
        return KOZO_WHAT(KOZO_KIND_FRAME, PICK(d, 12, 12, 12, 12, 21, 21, 0, 13, 20));
    case 8:
    case 9:
        return KOZO_WHAT(KOZO_KIND_PAGE_TABLE, dice_chance(d, 5));
    case 10:
        return KOZO_WHAT(KOZO_KIND_ADDRESS_SPACE, dice_chance(d, 5));
    default:
        return KOZO_WHAT(dice_below(d, 20), PICK(d, 0, 4, 12, 1ull << 40));
    }
}

static uint64_t info_to_send(struct dice *d)
{
    uint64_t info = dice_below(d, 4) << KOZO_INFO_LABEL_SHIFT;

    if (dice_chance(d, 30))
        info |= dice_chance(d, 90) ? PICK(d, 1, 2, 16, 55, 56) : PICK(d, 57, 63);
    if (dice_chance(d, 40))
        info |= (dice_chance(d, 95) ? 1 + dice_below(d, 3) : PICK(d, 4, 7)) << KOZO_INFO_CAPS_SHIFT;
    if (dice_chance(d, 30))
        info |= KOZO_INFO_DEADLINE;
    if (dice_chance(d, 40))
        info |= KOZO_INFO_RECV_CAPS;
    if (dice_chance(d, 2))
        info |= PICK(d, 1ull << 6, 1ull << 13, 1ull << 16, 1ull << 31);
    return info;
}

static uint64_t info_to_receive(struct dice *d)
{
    return (dice_chance(d, 30) ? KOZO_INFO_DEADLINE : 0) |
           (dice_chance(d, 50) ? KOZO_INFO_RECV_CAPS : 0) |
           (dice_chance(d, 3) ? PICK(d, 1, 1ull << 8, 1ull << 17, 1ull << 32) : 0);
}

uint64_t address_to_map(struct dice *d)
{
    if (dice_chance(d, 85))
        return PICK(d, 0x1000, 0x2000, 0x3000, 0x200000, 0x400000, 0x40000000);
    return PICK(d, 0, 0x1000, 0x2000, 0x3000, 0x1000, 0x200000, 0x200000, 0x201000, 0x3ff000,
                0x400000, 0x40000000, 0x800, 0x7fffffe00000, 0x7fffffffe000, 0x7ffffffff000,
                0xffff800000000000, 0x7fffffc00000, 0x8000000000);
}

static uint64_t number_for(struct dice *d, char letter)
{
    switch (letter) {
    case 'r':
        return dice_chance(d, 50)
                   ? KOZO_SAME_RIGHTS
                   : PICK(d, dice_below(d, 32), dice_below(d, 0x10000), 0, 0x10000, ~0ull);
    case 'R':
        return (dice_chance(d, 30) ? KOZO_MINT_FRESH : 0) | number_for(d, 'r');
    case 'b':
        return PICK(d, 0, 1, 2, dice_word(d), ~0ull, 1ull << 63);
    case 'w':
        return what_to_make(d);
    case 'n':
        return dice_chance(d, 60) ? 1
                                  : PICK(d, 2, 3, 4, 8, 0, 16, 255, 256, 257, 1ull << 58, ~0ull);
    case 'y':
        return PICK(d, 0, 1, 63, 64, 65, 4096, 4097, 65536, 1ull << 40, ~0ull);
    case 'k':
        return PICK(d, 1, 1, 2, 3, 0, 12, 24, 25, 1ull << 32, ~0ull);
    case 'f':
        return PICK(d, 0, 0, 0, 1, 2, 3, 4, ~0ull);
    case 'P':
        return dice_chance(d, 75) ? 99 + dice_below(d, 4)
                                  : PICK(d, 98, 103, 0, 1, 63, 64, 255, 256, 1ull << 40);
    case 'i':
        return dice_chance(d, 80) ? 0x400000
                                  : PICK(d, 0x7fff0000, 0, 0x7fffffffefff, 0x7ffffffff000,
                                         0xffff800000000000, ~0ull);
    case 'O':
        return PICK(d, 0, 0, 512, 1024, 3584, 4096, 256, 2097152 - 512, 1ull << 40);
    case 'M':
        return address_to_map(d);
    case 'q':
        return dice_chance(d, 90) ? PICK(d, 1, 3, 3, 17) : PICK(d, 2, 19, 0, 5, 9, 16, 1ull << 32);
    case 'l':
        return PICK(d, 0, 1, 2, 3, 3, 23, 24, ~0ull);
    case 'x':
        return PICK(d, 0, 1, 2, 3, dice_word(d), ~0ull);
    case 'J':
        return PICK(d, 0, 0x1f, 0x20, 0x3f8, 0x3ff, 0x40, 0x44, 0x60, 0xfffc, 0xfffe, 0xffff,
                    0x10000, ~0ull, 0x3fb);
    case 'W':
        return PICK(d, 1, 1, 2, 4, 0, 3, 8);
    case 's':
        return info_to_send(d);
    case 'd':
        return info_to_receive(d);
    case 'z':
        return dice_chance(d, 95) ? KOZO_INFO_DEADLINE * dice_chance(d, 60) : dice_word(d);
    case 'K':
        return PICK(d, 0, 0, 0, 1, m->number - 1, m->number, m->number + 1, ~0ull);
    case 'S':
        return PICK(d, 0, 1, 2, 3, 4, 5, 6, 7, 64, 255, 447, 448, 449, 16384, 16385, ~0ull);
    default:
        return dice_word(d);
    }
}

/* ---- the call ---- */

static uint64_t cap_for(struct dice *d, char letter)
{
    static const struct {
        char letter;
        enum kozo_kind kind;
    } kinds[] = {
        { 'u', KOZO_KIND_UNTYPED },      { 'p', KOZO_KIND_THREAD_POOL },
        { 't', KOZO_KIND_THREAD },       { 'A', KOZO_KIND_ADDRESS_SPACE },
        { 'g', KOZO_KIND_PAGE_TABLE },   { 'F', KOZO_KIND_FRAME },
        { 'I', KOZO_KIND_IRQ_CONTROL },  { 'h', KOZO_KIND_IRQ_HANDLER },
        { 'j', KOZO_KIND_IO_PORT },      { 'D', KOZO_KIND_DEBUG },
        { 'T', KOZO_KIND_NOTIFICATION }, { 'E', KOZO_KIND_ENDPOINT },
    };

    for (uint32_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].letter == letter)
            return cap_of_kind(d, kinds[i].kind);
    return UINT64_MAX - 1; /* no capability */
}

static uint64_t one_word(struct dice *d, char letter)
{
    uint64_t cap = cap_for(d, letter);

    if (cap != UINT64_MAX - 1)
        return cap;
    switch (letter) {
    case 'V':
        return stopped_thread(d);
    case 'o':
        return cap_or_none(d, KOZO_KIND_CNODE, 60);
    case 'a':
        return cap_or_none(d, KOZO_KIND_ADDRESS_SPACE, 70);
    case 'm':
        return cap_or_none(d, KOZO_KIND_FRAME, 50);
    case 'e':
        return cap_or_none(d, KOZO_KIND_ENDPOINT, 40);
    case 'N':
        return cap_or_none(d, KOZO_KIND_NOTIFICATION, 80);
    case 'X':
        return cap_or_none(d, KOZO_KIND_REPLY, m->current->owes != nullptr ? 15 : 90);
    default:
        return number_for(d, letter);
    }
}

/* False when a capability that it needs is not there. */
bool arguments(struct dice *d, const char *letters, uint64_t *arg)
{
    bool all = true;

    for (uint32_t at = 0; *letters != '\0'; letters++) {
        if (*letters == 'c' || *letters == 'C' || *letters == 'Q') {
            pair(d, &arg[at],
                 *letters == 'c'   ? is_empty
                 : *letters == 'C' ? is_full
                                   : is_mapped,
                 *letters == 'Q' ? KOZO_KIND_FRAME : 0);
            all = all && arg[at + 1] != 0;
            at += 2;
        } else {
            arg[at] = one_word(d, *letters);
            all = all && (arg[at] != 0 || strchr("uptVAgFIhjDTE", *letters) == nullptr);
            at++;
        }
    }
    return all;
}
