/* SPDX-License-Identifier: MIT */
#include <kozo/msg.h>
#include <kozo/string.h>
#include <kozo/syscall.h>

/* Bits of an info word that make the buffer part of the message. */
constexpr uint64_t BUFFERED = KOZO_INFO_EXTRA_MASK | KOZO_INFO_CAPS_MASK;

static uint64_t info_of(const struct kozo_msg *m)
{
    uint64_t info = (uint64_t)m->label << KOZO_INFO_LABEL_SHIFT | (uint64_t)m->ncaps
                                                                      << KOZO_INFO_CAPS_SHIFT;

    if (m->nwords > KOZO_MSG_REGS)
        info |= m->nwords - KOZO_MSG_REGS;
    return info;
}

/* Puts what does not travel in registers into the buffer. Returns the flags it calls for. */
static uint64_t stage(struct kozo_msg *m, uint64_t info, bool receives)
{
    struct kozo_ipc_buffer *b;

    if ((info & BUFFERED) == 0 && (!receives || m->recv_count == 0))
        return 0;
    b = kozo_buffer();
    if (b == nullptr)
        return 0;
    memcpy(b->word, &m->word[KOZO_MSG_REGS], (info & KOZO_INFO_EXTRA_MASK) * sizeof(uint64_t));
    for (unsigned i = 0; i < m->ncaps; i++)
        b->cap[i] = m->cap[i];
    if (!receives || m->recv_count == 0)
        return 0;
    b->recv_slot = m->recv_slot;
    b->recv_count = m->recv_count;
    return KOZO_INFO_RECV_CAPS;
}

/* Takes a message received out of the registers and the buffer. */
static void fetch(struct kozo_msg *m, const struct kozo_words *x)
{
    uint64_t extra = x->info & KOZO_INFO_EXTRA_MASK;

    m->badge = x->cap;
    m->label = (uint32_t)(x->info >> KOZO_INFO_LABEL_SHIFT);
    m->what = (uint8_t)(x->info >> 16);
    m->user = (uint8_t)(x->info >> KOZO_INFO_USER_SHIFT);
    m->at = m->bad = m->ncaps = m->taken = m->received = 0;
    for (unsigned i = 0; i < KOZO_MSG_REGS; i++)
        m->word[i] = x->w[i];
    if (extra > KOZO_MSG_EXTRA)
        extra = KOZO_MSG_EXTRA;
    m->nwords = (uint8_t)(KOZO_MSG_REGS + extra);
    if ((x->info & BUFFERED) == 0)
        return;
    memcpy(&m->word[KOZO_MSG_REGS], kozo_buffer()->word, extra * sizeof(uint64_t));
    if ((x->info & KOZO_INFO_CAPS_MASK) != 0)
        m->received = kozo_buffer()->received;
}

static enum kozo_err enter(uint64_t nr, kozo_cptr cap, const struct kozo_msg *m,
                           struct kozo_words *x)
{
    x->cap = cap;
    if (m->timed)
        return kozo_ipc_until(nr, x, m->deadline);
    return kozo_ipc(nr, x);
}

static enum kozo_err exchange(uint64_t nr, kozo_cptr cap, struct kozo_msg *m)
{
    uint64_t info = nr == KOZO_SYS_RECV ? 0 : info_of(m);
    struct kozo_words x = { .info = info };
    enum kozo_err err;

    if (nr != KOZO_SYS_RECV)
        for (unsigned i = 0; i < KOZO_MSG_REGS; i++)
            x.w[i] = m->word[i];
    x.info |= stage(m, info, true);
    err = enter(nr, cap, m, &x);
    if (err != KOZO_OK)
        x = (struct kozo_words){};
    m->sent = (info & KOZO_INFO_CAPS_MASK) != 0 && kozo_buffer() != nullptr ? kozo_buffer()->sent
                                                                            : 0;
    fetch(m, &x);
    return err;
}

/* One way: *m keeps its words. */
static enum kozo_err emit(uint64_t nr, kozo_cptr cap, struct kozo_msg *m)
{
    uint64_t info = info_of(m);
    struct kozo_words x = { .info = info };
    enum kozo_err err;

    for (unsigned i = 0; i < KOZO_MSG_REGS; i++)
        x.w[i] = m->word[i];
    (void)stage(m, info, false);
    err = enter(nr, cap, m, &x);
    m->what = (uint8_t)(x.info >> 16);
    m->sent = (info & KOZO_INFO_CAPS_MASK) != 0 && kozo_buffer() != nullptr ? kozo_buffer()->sent
                                                                            : 0;
    return err;
}

enum kozo_err kozo_call(struct kozo_endpoint ep, struct kozo_msg *m)
{
    enum kozo_err err = exchange(KOZO_SYS_CALL, ep.c, m);

    if (err != KOZO_OK)
        m->err = err;
    return err;
}

enum kozo_err kozo_reply_recv(struct kozo_endpoint ep, struct kozo_msg *m)
{
    return exchange(KOZO_SYS_REPLY_RECV, ep.c, m);
}

enum kozo_err kozo_recv(struct kozo_endpoint ep, struct kozo_msg *m)
{
    return exchange(KOZO_SYS_RECV, ep.c, m);
}

enum kozo_err kozo_send(struct kozo_endpoint ep, struct kozo_msg *m)
{
    return emit(KOZO_SYS_SEND, ep.c, m);
}

/* An answer never blocks, so a deadline meant for the next receive must not reach it. */
static enum kozo_err answer(kozo_cptr to, struct kozo_msg *m)
{
    bool timed = m->timed;
    enum kozo_err err;

    m->timed = false;
    err = emit(KOZO_SYS_REPLY, to, m);
    m->timed = timed;
    return err;
}

enum kozo_err kozo_reply(struct kozo_msg *m)
{
    return answer(0, m);
}

enum kozo_err kozo_reply_to(struct kozo_reply to, struct kozo_msg *m)
{
    return answer(to.c, m);
}
