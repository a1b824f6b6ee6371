/* SPDX-License-Identifier: MIT */
#include "init/deny.h"
#include "common/identity.h"
#include "common/object.h"

#include <kozo/print.h>
#include <kozo/system.h>
#include <kozo/time.h>

#define RIGHTS_BYTES 48u

/* The names of user rights of init's endpoint; empty for none. */
static struct kozo_str rights_text(char to[RIGHTS_BYTES], uint8_t rights)
{
    static const struct {
        uint8_t bit;
        const char *name;
    } names[] = { { LOG_WRITE, "write" },
                  { LOG_FAULT, "fault" },
                  { KOZO_SYSTEM_LOG, "log" },
                  { KOZO_SYSTEM_LOOK, "look" },
                  { KOZO_SYSTEM_CONTROL, "control" },
                  { KOZO_SYSTEM_KILL, "kill" } };
    struct line l = line_begin(to, RIGHTS_BYTES);

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((rights & names[i].bit) == 0)
            continue;
        line_add(&l, l.used > 0 ? " " : "");
        line_add(&l, names[i].name);
    }
    return line_text(&l);
}

static void print(void *context, struct kozo_str line)
{
    (void)context;
    kozo_printf("[init] %.*s\n", (int)line.len, line.at);
}

void deny(struct init *i, const struct kozo_msg *m, struct kozo_str object, uint8_t asked,
          const char *hint)
{
    const struct manifest_service *s = identity_service(&i->manifest, m->badge);
    char wanted[RIGHTS_BYTES], has[RIGHTS_BYTES];
    struct denial d = { .who = s != nullptr ? s->name : (struct kozo_str){},
                        .object = object,
                        .asked = rights_text(wanted, asked),
                        .held = rights_text(has, m->user),
                        .hint = kozo_str(hint) };

    denial_tell(&i->denials, identity_index(m->badge), kozo_now(), &d, print, nullptr);
}

void deny_bound(struct init *i, const struct kozo_msg *m)
{
    const struct manifest_service *s = &i->manifest.service[identity_target(m->badge)];
    char object[OBJECT_BYTES], hint[128];
    struct line l = line_begin(object, sizeof object);

    line_add(&l, OBJECT_KILL "/");
    line_add_str(&l, s->name);
    l = line_begin(hint, sizeof hint);
    line_add(&l, "it is bound to ");
    line_add_str(&l, s->name);
    line_add(&l, ", to kill, restart and crash that alone");
    deny(i, m, kozo_str(object), KOZO_SYSTEM_KILL, hint);
}

void deny_time(struct init *i, uint64_t now)
{
    denial_settle(&i->denials, now, print, nullptr);
}
