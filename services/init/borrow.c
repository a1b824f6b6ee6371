/* SPDX-License-Identifier: MIT */
#include "init/borrow.h"

#include <kozo/slots.h>
#include <kozo/start.h>

/* Init's own priority, read before it is first changed: nobody else changes it. */
static enum kozo_err usual_priority(unsigned *priority)
{
    static unsigned usual;
    static bool known;
    struct kozo_thread_info info = {};

    if (!known)
        info = kozo_thread_info(kozo_own_thread());
    if (info.err != KOZO_OK)
        return info.err;
    if (!known)
        usual = (unsigned)kozo_buffer()->word[KOZO_THREAD_WORD_PRIORITY];
    known = true;
    *priority = usual;
    return KOZO_OK;
}

enum kozo_err borrow(const struct service *s, uint64_t slot,
                     void (*act)(kozo_cptr copy, void *context), void *context)
{
    kozo_cptr copy = kozo_slot_alloc();
    unsigned usual = 0;
    enum kozo_err err = copy == 0 ? KOZO_ERR_LIMIT : usual_priority(&usual);

    if (err == KOZO_OK)
        err = kozo_thread_priority(kozo_own_thread(), 0, 0);
    if (err == KOZO_OK) {
        err = kozo_cap_copy(kozo_own(copy), kozo_in(s->process.cnode, slot), KOZO_SAME_RIGHTS);
        if (err == KOZO_OK) {
            act(copy, context);
            (void)kozo_cap_delete(kozo_own(copy));
        }
        (void)kozo_thread_priority(kozo_own_thread(), usual, 0);
    }
    kozo_slot_free(copy);
    return err;
}
