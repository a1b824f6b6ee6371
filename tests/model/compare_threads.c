/* SPDX-License-Identifier: MIT */
/*
 * compare_threads.c - is the kernel in the state that the model says? Threads, queues, time,
 * interrupts, spaces.
 */
#include "compare.h"

#include "mem/vspace.h"
#include "sched/queue.h"
#include <string.h>

static const struct tcb *tcb_of(const struct m_thread *t)
{
    return t != nullptr ? (const struct tcb *)t->object->twin : nullptr;
}

static const char *thread_name(const struct m_thread *t)
{
    static char text[32];

    snprintf(text, sizeof text, "thread %llu", (unsigned long long)t->serial);
    return text;
}

#define SAME(t, got, want) COMPARE_SAME(thread_name(t), got, want)

/* ---- queues ---- */

static void compare_queue(const char *of, const struct queue *q, const struct m_queue *want)
{
    const struct tcb *t = q->head;

    for (uint32_t i = 0; i < want->n; i++) {
        if (t != tcb_of(want->item[i]))
            lockstep_fail("%s: place %u is thread %llu's, the model says thread %llu's", of, i,
                          t != nullptr ? (unsigned long long)t->serial : 0,
                          (unsigned long long)want->item[i]->serial);
        t = queue_after(q, t);
    }
    if (t != nullptr)
        lockstep_fail("%s: more than %u threads wait", of, want->n);
}

void compare_stopped(void)
{
    const struct tcb *t = kernel.pending.stopped;

    for (uint32_t i = 0; i < m->stopped.n; i++) {
        if (t != tcb_of(m->stopped.item[i]))
            lockstep_fail("stopped handler %u is another thread", i);
        t = t->level_next;
    }
    if (t != nullptr)
        lockstep_fail("more than %u handlers have stopped", m->stopped.n);
}

void compare_asking(void)
{
    const struct tcb *t = kernel.pending.asker;

    for (uint32_t i = 0; i < m->asking.n; i++) {
        if (t != tcb_of(m->asking.item[i]))
            lockstep_fail("turn %u to destroy is another thread's", i);
        t = t->asks.next;
    }
    if (t != nullptr)
        lockstep_fail("more than %u threads wait for their turn to destroy", m->asking.n);
    compare_same("the system", "destructions", kernel.pending.number, m->number);
}

void compare_endpoint(const struct m_object *o, const struct endpoint *ep)
{
    compare_queue("senders", &ep->senders, &o->endpoint.senders);
    compare_queue("receivers", &ep->receivers, &o->endpoint.receivers);
}

void compare_ntfn(const struct m_object *o, const struct notification *n)
{
    compare_same("Notification", "bits", n->bits, o->ntfn.bits);
    compare_queue("waiters", &n->waiters, &o->ntfn.waiters);
    if (n->bound != tcb_of(o->ntfn.bound))
        lockstep_fail("Notification %#llx is bound to another thread", (unsigned long long)o->base);
}

/* ---- address spaces ---- */

static const struct m_entry *entry_for(const struct m_entry *first, uint64_t address)
{
    while (first != nullptr && first->address != address)
        first = first->next;
    return first;
}

static void compare_table(const struct m_entry *first, const pte *table, uint32_t level,
                          uint64_t base)
{
    uint32_t entries = level == PTE_LEVELS ? PTE_ROOT_USER : PTE_ENTRIES, n = 0;

    for (const struct m_entry *e = first; e != nullptr; e = e->next)
        n++;
    for (uint32_t i = 0; i < entries; i++) {
        uint64_t address = base + ((uint64_t)i << (12 + 9 * (level - 1)));
        const struct m_entry *e;

        if (!pte_present(table[i]))
            continue;
        e = entry_for(first, address);
        if (e == nullptr || e->leaf != pte_is_leaf(table[i], level))
            lockstep_fail("%#llx is mapped at level %u, the model says otherwise",
                          (unsigned long long)address, level);
        n--;
        if (e->leaf) {
            compare_same("a leaf", "page", pte_addr(table[i]).v, e->base);
            compare_same("a leaf", "rights", pte_rights(table[i]), e->rights);
            compare_same("a leaf", "device", (table[i] & PTE_DEVICE) != 0, e->device);
        } else {
            compare_same("a table", "page", pte_addr(table[i]).v, e->table->base);
            compare_table(e->below, arch_ram(pte_addr(table[i])), level - 1, address);
        }
    }
    if (n != 0)
        lockstep_fail("%u entries are missing in the table of level %u for %#llx", n, level,
                      (unsigned long long)base);
}

void compare_space(const struct m_object *o)
{
    const pte *root = arch_ram((struct paddr){ o->base });
    const struct vspace *v = (const struct vspace *)((const char *)root + KOZO_PAGE_SIZE);
    uint64_t pages = 0;

    compare_table(o->space.top, root, PTE_LEVELS, 0);
    for (const struct m_object *p = o->space.pool; p != nullptr; p = p->table.next)
        pages++;
    compare_same("a space", "pool", v->pool_pages, pages);
    if (pages > 0)
        compare_same("a space", "first page of its pool", v->pool.v, o->space.pool->base);
}

/* ---- a thread ---- */

static void compare_regs(const struct m_thread *t, const struct frame *f)
{
    const struct m_regs *r = &t->regs;

    SAME(t, f->error, r->rax);
    for (uint32_t i = 0; i < FRAME_REGS; i++)
        if (f->reg[i] != r->reg[i])
            lockstep_fail("%s: register %u is %#llx, the model says %#llx", thread_name(t), i,
                          (unsigned long long)f->reg[i], (unsigned long long)r->reg[i]);
    SAME(t, f->deadline, r->rbx);
    for (uint32_t i = 0; i < FRAME_OTHER; i++)
        SAME(t, f->other[i], r->other[i]);
    SAME(t, f->ip, r->ip);
    SAME(t, f->sp, r->sp);
    SAME(t, f->flags, r->flags);
}

static void compare_bindings(const struct m_thread *t, const struct tcb *k)
{
    const struct m_cap *cspace = t->binding[M_CSPACE], *vspace = t->binding[M_VSPACE];

    for (uint32_t i = 0; i < M_BINDINGS; i++)
        SAME(t, slot_is_null(&k->binding[i]), t->binding[i] == nullptr);
    SAME(t, k->cspace.size, cspace != nullptr ? 1ull << cspace->object->bits : 0);
    SAME(t, k->cspace.slots, cspace != nullptr ? compare_kernel_object(cspace->object) : 0);
    SAME(t, k->root, vspace != nullptr ? vspace->object->base : 0);
    SAME(t, k->buffer,
         t->binding[M_BUFFER] != nullptr ? (uint64_t)arch_ram((struct paddr){ t->buffer }) : 0);
    if (t->binding[M_BUFFER] != nullptr &&
        memcmp(k->buffer, m_ram(t->buffer), KOZO_BUFFER_BYTES) != 0)
        lockstep_fail("%s: its IPC buffer differs", thread_name(t));
}

static void compare_wait(const struct m_thread *t, const struct tcb *k)
{
    SAME(t, k->owes, tcb_of(t->owes));
    SAME(t, k->replier.server, tcb_of(t->server));
    SAME(t, k->replier.slot, t->reply != nullptr ? compare_kernel_slot(t->reply) : nullptr);
    SAME(t, k->bound, t->bound != nullptr ? compare_kernel_object(t->bound) : 0);
    SAME(t, k->waits_for.endpoint,
         t->waits_for != nullptr ? compare_kernel_object(t->waits_for) : 0);
    SAME(t, k->timer_index != 0, t->timed);
    if (t->timed)
        SAME(t, k->deadline, t->deadline);
    SAME(t, (k->slow & TCB_SLOW_LOST) != 0, t->lost);
    SAME(t, (k->slow & TCB_SLOW_DEADLINE) != 0, t->timed);
    SAME(t, (k->slow & TCB_SLOW_NTFN) != 0, t->bound != nullptr);
    SAME(t, (k->slow & TCB_SLOW_FS) != 0, t->fs_base != 0);
    SAME(t, (k->slow & TCB_SLOW_FPU) != 0, (t->flags & KOZO_THREAD_FPU) != 0);
    SAME(t, (k->slow & TCB_SLOW_FOREIGN) != 0, (t->flags & KOZO_THREAD_FOREIGN) != 0);
    if (m_is_faulting(t))
        SAME(t, (k->slow & TCB_SLOW_FAULT) != 0, true);
}

static void compare_thread(const struct m_thread *t)
{
    const struct tcb *k = tcb_of(t);

    SAME(t, k->state, t->state);
    SAME(t, k->priority, t->priority);
    SAME(t, k->ceiling, t->ceiling);
    SAME(t, k->flags, t->flags);
    SAME(t, k->started, t->started);
    SAME(t, k->fs_base, t->fs_base);
    SAME(t, k->cpu_cycles, t->cpu_ns);
    SAME(t, k->dropping, t->dropping);
    SAME(t, k->fault.kind, t->fault.kind);
    SAME(t, k->fault.address, t->fault.address);
    SAME(t, k->pool, t->pool->twin - 1);
    compare_regs(t, &k->frame);
    compare_bindings(t, k);
    compare_wait(t, k);
}

/* ---- who runs, and when ---- */

static void compare_ready(void)
{
    for (uint32_t p = 0; p < KOZO_PRIORITIES; p++) {
        const struct tcb *head = kernel.sched.ready[p], *t = head;
        bool first = true;

        for (uint32_t i = 0; i < m->ready.n; i++) {
            if (m->ready.item[i]->priority != p)
                continue;
            if (t == nullptr || (!first && t == head) || t != tcb_of(m->ready.item[i]))
                lockstep_fail("ready threads of priority %u: another order", p);
            t = t->next;
            first = false;
        }
        if (t != head)
            lockstep_fail("more ready threads of priority %u", p);
        if (first && head != nullptr)
            lockstep_fail("ready threads of priority %u where the model has none", p);
    }
}

static void compare_time(void)
{
    for (uint32_t p = 0; p < KOZO_PRIORITIES; p++)
        if (kernel.sched.slice_end[p] != m->slice[p])
            lockstep_fail("the slice of priority %u ends at another time", p);
    compare_same("the system", "ticks", kernel.timers.ticks, m->ticks);
    compare_same("the system", "idle_ns", kernel.idle_tcb.cpu_cycles, m->idle_ns);
    if (machine.armed > m->slice_due)
        lockstep_fail("the timer is not armed for the end of the slice");
    for (uint32_t i = 0; i < m->threads.n; i++)
        if (m->threads.item[i]->timed && machine.armed > m->threads.item[i]->deadline)
            lockstep_fail("the timer is not armed for the deadline of %s",
                          thread_name(m->threads.item[i]));
}

static void compare_lines(void)
{
    for (uint32_t i = 0; i < M_LINES; i++) {
        const struct irq *irq = &kernel.irqs.line[i];
        const struct m_line *l = &m->line[i];

        compare_same("a line", "claimed", irq->claimed, l->claimed);
        compare_same("a line", "pending", irq->pending, l->pending);
        compare_same("a line", "open", machine.line_open[i], m_line_is_open(i));
        compare_same("a line", "bound", slot_is_null(&irq->ntfn), l->ntfn == nullptr);
        if (l->ntfn != nullptr)
            compare_same("a line", "bits", irq->bits, l->bits);
    }
}

void compare_threads(void)
{
    const struct tcb *want = m->current != nullptr ? tcb_of(m->current) : kernel.cpu.idle;
    uint32_t live = 0;

    if (kernel.cpu.current != want)
        lockstep_fail("thread %llu runs, the model says thread %llu",
                      (unsigned long long)kernel.cpu.current->serial,
                      (unsigned long long)want->serial);
    for (uint32_t i = 0; i < kernel.pools.tcb_fresh; i++)
        live += kernel.tcbs[i].state != TCB_FREE;
    compare_same("the system", "live threads", live, m->threads.n);
    for (uint32_t i = 0; i < m->threads.n; i++)
        compare_thread(m->threads.item[i]);
    if (m->current != nullptr && (m->current->flags & KOZO_THREAD_FPU) != 0) {
        compare_same("floating point", "register", machine.fpu.reg[0], m->current->fpu);
        compare_same("floating point", "control", machine.fpu.control, HOST_FPU_CLEAN);
    }
    compare_same("the processor", "fs_base", machine.fs_base,
                 m->current != nullptr ? m->current->fs_base : machine.fs_base);
    compare_ready();
    compare_time();
    compare_lines();
}
