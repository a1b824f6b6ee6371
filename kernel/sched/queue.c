/* SPDX-License-Identifier: MIT */
#include "sched/queue.h"

#include "sched/ring.h"

/* Put `t` between the ring heads `before` and `after`, as the head of a new ring. */
static void level_link(struct queue *q, struct tcb *before, struct tcb *t, struct tcb *after)
{
    t->level_prev = before;
    t->level_next = after;
    if (before != nullptr)
        before->level_next = t;
    else
        q->head = t;
    if (after != nullptr)
        after->level_prev = t;
}

void queue_insert(struct queue *q, struct tcb *t)
{
    struct tcb *before = nullptr, *at = q->head, *ring = nullptr;

    while (at != nullptr && at->priority < t->priority) {
        before = at;
        at = at->level_next;
    }
    if (at != nullptr && at->priority == t->priority) {
        ring_push(&at, t);
        t->level_next = t->level_prev = nullptr;
        return;
    }
    ring_push(&ring, t);
    level_link(q, before, t, at);
}

/* `t` heads its ring unless its predecessor list or the queue does not know it. */
static bool is_head(const struct queue *q, const struct tcb *t)
{
    return q->head == t || t->level_prev != nullptr;
}

void queue_remove(struct queue *q, struct tcb *t)
{
    struct tcb *ring = t;
    bool head = is_head(q, t);
    struct tcb *before = t->level_prev, *after = t->level_next;

    ring_remove(&ring, t);
    t->level_next = t->level_prev = nullptr;
    if (!head)
        return;
    if (ring != nullptr) {
        level_link(q, before, ring, after);
        return;
    }
    if (before != nullptr)
        before->level_next = after;
    else
        q->head = after;
    if (after != nullptr)
        after->level_prev = before;
}

struct tcb *queue_pop(struct queue *q)
{
    struct tcb *t = q->head;

    if (t == nullptr)
        return nullptr;
    if (ring_is_single(t) && t->level_next == nullptr) { /* the only one */
        q->head = nullptr;
        t->next = t->prev = nullptr;
    } else {
        queue_remove(q, t);
    }
    return t;
}

struct tcb *queue_after(const struct queue *q, const struct tcb *t)
{
    const struct tcb *head = t->next;

    if (!is_head(q, head))
        return t->next;
    return head->level_next;
}
