/* SPDX-License-Identifier: MIT */
#include "fsd/deny.h"
#include "common/line.h"
#include "common/rights.h"

/* The names on the way from the root of /ram to the node. */
static void add_ram(struct line *l, const struct ram *r, uint32_t node)
{
    uint32_t way[RAM_DEPTH], n = 0;

    for (; node != RAM_ROOT && n < RAM_DEPTH; node = r->node[node].parent)
        way[n++] = node;
    line_add(l, "/" RAM_MOUNT);
    while (n > 0) {
        line_add(l, "/");
        line_add_str(l, ram_name(r, way[--n]));
    }
}

const char *file_name(char to[FILE_NAME_BYTES], const struct fs_server *s, struct file file,
                      const char *path)
{
    struct line l = line_begin(to, FILE_NAME_BYTES);

    line_add(&l, "fs:");
    if (file.ram) {
        add_ram(&l, &s->ram, file.node);
    } else if (file.node != NODE_ROOT) {
        line_add(&l, "/");
        line_add_str(&l, (struct kozo_str){ s->tree.node[file.node].path,
                                            s->tree.node[file.node].path_len });
    }
    if (path[0] != '\0' || (!file.ram && file.node == NODE_ROOT))
        line_add(&l, "/");
    line_add(&l, path);
    return to;
}

void deny(struct denials *d, const struct manifest *names, const struct fs_server *s,
          const struct kozo_msg *m, enum kozo_err err, uint64_t now, denial_sink *sink)
{
    struct handle h = handle_open(s, m->badge);
    char object[FILE_NAME_BYTES], wanted[RIGHTS_TEXT], has[RIGHTS_TEXT];
    struct denial what = { .held = kozo_str(rights_text(has, m->user & RIGHTS_ALL)) };

    if (h.err != KOZO_OK || (err != KOZO_ERR_RIGHTS && err != KOZO_ERR_LIMIT))
        return;
    if (names != nullptr && h.account < names->services)
        what.who = names->service[h.account].name;
    what.object = kozo_str(file_name(object, s, s->asked.file, s->asked.path));
    what.asked = kozo_str(rights_text(wanted, s->asked.rights & RIGHTS_ALL));
    what.hint = kozo_str("its capability was given without; ask its giver for one with more");
    if ((s->asked.rights & KOZO_FILE_ACCOUNT) != 0)
        what.asked = kozo_str("account");
    if (err == KOZO_ERR_LIMIT && (s->asked.rights & KOZO_FILE_ACCOUNT) != 0) {
        what.asked = kozo_str("one more lease");
        what.hint = kozo_str("all are in use: end some");
    } else if (err == KOZO_ERR_LIMIT) {
        what.asked = kozo_str("more than its share, or longer or deeper than a file can be");
        what.hint = kozo_str("remove files, or raise share_kib or share_files of [service fsd]");
    }
    denial_tell(d, h.account, now, &what, sink, nullptr);
}
