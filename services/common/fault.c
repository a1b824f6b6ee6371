/* SPDX-License-Identifier: MIT */
#include "common/fault.h"

#include <kozo/error.h>

static void describe_access(struct line *l, const struct place_map *map, uint64_t address,
                            uint64_t access)
{
    char text[160];
    struct line where = line_begin(text, sizeof text);

    line_add(l, access == KOZO_WRITE     ? ", write to "
                : access == KOZO_EXECUTE ? ", jump to "
                                         : ", read of ");
    line_add_hex(l, address);
    place_describe(&where, map, address, access);
    line_add(l, where.used > 0 ? " (" : "");
    line_add(l, text);
    line_add(l, where.used > 0 ? ")" : "");
}

void fault_describe(struct line *l, const uint64_t word[KOZO_MSG_REGS],
                    const struct place_map *map)
{
    if (word[0] == KOZO_FAULT_EXIT) {
        line_add(l, "it ended with status ");
        line_add_number(l, word[1]);
        return;
    }
    line_add(l, kozo_fault_text(word[0]));
    if (word[0] == KOZO_FAULT_PAGE)
        describe_access(l, map, word[1], word[6]);
    if (word[0] == KOZO_FAULT_SYSCALL) {
        line_add(l, ", number ");
        line_add_number(l, word[6]);
    }
    line_add(l, ", at ip ");
    line_add_hex(l, word[2]);
    line_add(l, ", sp ");
    line_add_hex(l, word[3]);
}
