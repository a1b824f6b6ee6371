/* SPDX-License-Identifier: MIT */
#include "init/fault.h"

#include <kozo/error.h>
#include <kozo/layout.h>

/* Where `address` is, when that tells more than the number does; else null. */
static const char *place_of(uint64_t address)
{
    if (address < KOZO_PAGE_SIZE)
        return "a null pointer";
    if (address >= KOZO_LAYOUT_BUFFER + KOZO_PAGE_SIZE && address < KOZO_LAYOUT_STACK)
        return "below the first thread's stack: stack overflow";
    if (address >= KOZO_USER_END)
        return "not a user address";
    return nullptr;
}

static void describe_access(struct line *l, uint64_t address, uint64_t access)
{
    line_add(l, access == KOZO_WRITE     ? ", write to "
                : access == KOZO_EXECUTE ? ", jump to "
                                         : ", read of ");
    line_add_hex(l, address);
    if (place_of(address) != nullptr) {
        line_add(l, " (");
        line_add(l, place_of(address));
        line_add(l, ")");
    }
}

void fault_describe(struct line *l, const uint64_t word[KOZO_MSG_REGS])
{
    if (word[0] == KOZO_FAULT_EXIT) {
        line_add(l, "it ended with status ");
        line_add_number(l, word[1]);
        return;
    }
    line_add(l, kozo_fault_text(word[0]));
    if (word[0] == KOZO_FAULT_PAGE)
        describe_access(l, word[1], word[6]);
    if (word[0] == KOZO_FAULT_SYSCALL) {
        line_add(l, ", number ");
        line_add_number(l, word[6]);
    }
    line_add(l, ", at ip ");
    line_add_hex(l, word[2]);
    line_add(l, ", sp ");
    line_add_hex(l, word[3]);
}
