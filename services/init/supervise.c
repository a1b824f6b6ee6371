/* SPDX-License-Identifier: MIT */
#include "init/supervise.h"

constexpr uint64_t ns_per_ms = 1000000;

struct supervise_policy supervise_policy(const struct manifest_service *m)
{
    return (struct supervise_policy){ m->restart, m->restart_limit,
                                      m->restart_backoff_ms * ns_per_ms };
}

struct supervise_policy supervise_policy_of_start(const struct manifest_service *m)
{
    struct supervise_policy p = supervise_policy(m);

    if (p.backoff < SUPERVISE_START)
        p.backoff = SUPERVISE_START;
    return p;
}

struct supervise supervise_begin(void)
{
    return (struct supervise){ .again = SUPERVISE_NEVER };
}

void supervise_started(struct supervise *s, uint64_t now)
{
    s->started = now;
    s->again = SUPERVISE_NEVER;
}

void supervise_asked(struct supervise *s)
{
    s->row = 0;
    s->restarts++;
}

/* backoff * 2^(n-1), n from 1 on. */
static uint64_t backoff(const struct supervise_policy *p, uint32_t n)
{
    uint64_t wait = p->backoff;

    while (n-- > 1 && wait != 0 && wait < SUPERVISE_BACKOFF_MAX)
        wait *= 2;
    return wait < SUPERVISE_BACKOFF_MAX ? wait : SUPERVISE_BACKOFF_MAX;
}

enum supervise_why supervise_ended(struct supervise *s, const struct supervise_policy *p, bool well,
                                   uint64_t now)
{
    s->again = SUPERVISE_NEVER;
    if (p->restart == RESTART_NEVER || (p->restart == RESTART_ON_FAILURE && well))
        return SUPERVISE_POLICY;
    if (now - s->started >= SUPERVISE_GOOD)
        s->row = 0;
    if (s->row >= p->limit)
        return SUPERVISE_LIMIT;
    s->row++;
    s->restarts++;
    s->again = now + backoff(p, s->row);
    return SUPERVISE_RESTART;
}

bool supervise_due(const struct supervise *s, uint64_t now)
{
    return s->again != SUPERVISE_NEVER && now >= s->again;
}

void supervise_give_up(struct supervise *s)
{
    s->again = SUPERVISE_NEVER;
}

void supervise_describe(struct line *l, const struct supervise *s, const struct supervise_policy *p,
                        enum supervise_why why, uint64_t now)
{
    static const char *const names[] = { "never", "always", "on-failure" };

    switch (why) {
    case SUPERVISE_RESTART:
        line_add(l, "restart ");
        line_add_number(l, s->row);
        line_add(l, " of ");
        line_add_number(l, p->limit);
        line_add(l, " in ");
        line_add_number(l, (s->again - now) / ns_per_ms);
        line_add(l, " ms");
        break;
    case SUPERVISE_POLICY:
        line_add(l, "not restarted: restart = ");
        line_add(l, names[p->restart]);
        break;
    case SUPERVISE_LIMIT:
        line_add(l, "not restarted: ");
        line_add_number(l, s->row);
        line_add(l, " restarts without 10 s of good running, restart_limit = ");
        line_add_number(l, p->limit);
        break;
    }
}
