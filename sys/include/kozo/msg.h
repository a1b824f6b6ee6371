/* SPDX-License-Identifier: MIT */
/*
 * msg.h - messages: up to 64 words and 3 capabilities, and how values are laid out in them.
 *
 * Owns:      struct kozo_msg, the calls that exchange it, the layout of numbers, strings and bytes.
 * Not here:  the register convention and eight-word messages (syscall.h), what a service
 *            understands (proto/).
 * Cost:      what has at most eight words and no capabilities never touches the IPC buffer.
 * Spec:      docs/spec/ipc.md
 *
 * Layout of values: a number is one word. A string is its length in one word, then its bytes, at
 * least one NUL, up to the next word boundary. Bytes are their count in one word, then themselves,
 * zero-filled to the next word boundary. Capabilities travel beside the words, in the order of the
 * fields that name them.
 */
#pragma once

#include <kozo/abi.h>
#include <kozo/handle.h>
#include <kozo/syscall.h>
#include <kozo/layout.h>

#define KOZO_MSG_WORDS 64u
static_assert(KOZO_MSG_WORDS == KOZO_MSG_REGS + KOZO_MSG_EXTRA);

/* Bits of `what` in a message received. */
#define KOZO_MSG_FAULT (KOZO_INFO_FAULT >> 16)
#define KOZO_MSG_NOTIFICATION (KOZO_INFO_NOTIFICATION >> 16)
#define KOZO_MSG_REPLY_LOST (KOZO_INFO_REPLY_LOST >> 16)
#define KOZO_MSG_DROPPED (KOZO_INFO_DROPPED >> 16)

struct kozo_msg {
    uint64_t badge; /* received: the capability's, which tells who; or a notification's bits */
    union {
        uint32_t label;    /* a request's: operation and version */
        enum kozo_err err; /* an answer's: the result. In a client, also why there is none */
    };
    uint8_t what;   /* received: KOZO_MSG_* */
    uint8_t user;   /* received: user rights of the capability used */
    uint8_t nwords; /* words to send; words received (at least 8) */
    uint8_t at;     /* the word that put or get goes on with */
    uint8_t bad;    /* a put did not fit or a get found nonsense; stays set until begin or rewind */
    uint8_t ncaps;  /* capabilities to send, described in cap[] */
    uint8_t taken;  /* capabilities that get has handed out */
    uint8_t sent;     /* after a send with capabilities: how many arrived */
    uint8_t received; /* bit i set: capability i came, in recv_slot + i */
    bool timed;       /* `deadline` counts */
    uint16_t recv_count; /* receive window: this many empty slots ... */
    uint32_t recv_slot;  /* ... from here on, in one's own capability space */
    uint64_t deadline;   /* nanoseconds since boot; 0 = do not block */
    struct kozo_cap_desc cap[KOZO_MSG_CAPS];
    uint64_t word[KOZO_MSG_WORDS];
};

/* ---- exchange ---- */

/*
 * Sends *m to `ep` and waits for the answer, which replaces it. Needs WRITE; for capabilities to
 * travel, in either direction, also GRANT. Returns what the kernel says; m->err is that error, or
 * else the server's result. Errors: GONE the endpoint or its server died; DROPPED the server took
 * the call and will never answer; TIMEOUT the deadline passed; CANCELLED this thread was suspended;
 * BUFFER it has no IPC buffer and the message needs one.
 */
enum kozo_err kozo_call(struct kozo_endpoint ep, struct kozo_msg *m);

/*
 * Sends *m and waits until it is received; no answer comes. Needs WRITE (GRANT). Errors: as
 * kozo_call.
 */
enum kozo_err kozo_send(struct kozo_endpoint ep, struct kozo_msg *m);

/*
 * Receives a message, a fault or a bound notification's bits (see m->what). Needs READ. Whoever is
 * still owed an answer is dropped. On an error *m is empty. Errors: TIMEOUT, CANCELLED, GONE.
 */
enum kozo_err kozo_recv(struct kozo_endpoint ep, struct kozo_msg *m);

/*
 * Answers the caller owed with *m (m->err is the result), then receives as kozo_recv. A caller gone
 * meanwhile is no error.
 */
enum kozo_err kozo_reply_recv(struct kozo_endpoint ep, struct kozo_msg *m);

/*
 * Answers the caller owed, without receiving. Never blocks. Errors: NOREPLY nobody is owed; GONE.
 */
enum kozo_err kozo_reply(struct kozo_msg *m);

/*
 * Answers the caller whose right was put aside by kozo_reply_save. Needs WRITE. The capability is
 * used up. Errors: GONE.
 */
enum kozo_err kozo_reply_to(struct kozo_reply to, struct kozo_msg *m);

/*
 * The calling thread's IPC buffer. Threads of worker.h find theirs below their stack, the first one
 * by its start page.
 */
extern struct kozo_ipc_buffer *kozo_first_buffer;
static inline struct kozo_ipc_buffer *kozo_buffer(void)
{
    uint64_t sp = (uint64_t)__builtin_frame_address(0);

    if (sp - KOZO_LAYOUT_THREADS < KOZO_LAYOUT_THREADS_END - KOZO_LAYOUT_THREADS)
        return (struct kozo_ipc_buffer *)(sp & ~(KOZO_LAYOUT_THREAD_BYTES - 1));
    return kozo_first_buffer;
}

/* ---- building ---- */

/*
 * Begins a message to send: no words, no capabilities; the eight that always travel are zeroed.
 * Window and deadline stay.
 */
void kozo_msg_begin(struct kozo_msg *m, uint32_t label);

/* An empty message without window and deadline: what a variable starts as. */
static inline void kozo_msg_init(struct kozo_msg *m)
{
    m->badge = 0;
    m->what = m->user = m->sent = m->received = 0;
    m->timed = false;
    m->recv_count = 0;
    m->recv_slot = 0;
    m->deadline = 0;
    kozo_msg_begin(m, 0);
}

/*
 * Lets the next exchange receive capabilities into `count` (at most 3) empty slots from `slot` on;
 * count 0 shuts the window.
 */
static inline void kozo_msg_window(struct kozo_msg *m, kozo_cptr slot, unsigned count)
{
    m->recv_slot = (uint32_t)slot;
    m->recv_count = (uint16_t)count;
}

/*
 * Limits the next exchanges: absolute, in nanoseconds since boot (kozo_now() + n); 0 = do not
 * block.
 */
static inline void kozo_msg_deadline(struct kozo_msg *m, uint64_t deadline)
{
    m->deadline = deadline;
    m->timed = true;
}

/* Takes the deadline away again. */
static inline void kozo_msg_no_deadline(struct kozo_msg *m)
{
    m->timed = false;
}

/* Appends a number; what does not fit sets m->bad. */
static inline void kozo_put_u64(struct kozo_msg *m, uint64_t v)
{
    if (m->at >= KOZO_MSG_WORDS) {
        m->bad = 1;
        return;
    }
    m->word[m->at++] = v;
    m->nwords = m->at;
}

/* Text of known length; not owned. `at` may be null when len is 0. */
struct kozo_str {
    const char *at;
    uint64_t len;
};

/* Bytes of known length; not owned. */
struct kozo_bytes {
    const void *at;
    uint64_t len;
};

/* A C string as a kozo_str; null is the empty string. */
struct kozo_str kozo_str(const char *s);

/* The same, cut to `max` bytes. */
struct kozo_str kozo_str_cut(const char *s, uint64_t max);

/* Copies text into [to, to + size), cut to fit, ended by a NUL. `size` is not 0. */
void kozo_str_copy(char *to, uint64_t size, struct kozo_str s);

/* Whether the text is this C string. */
bool kozo_str_is(struct kozo_str s, const char *text);

/* Append text or bytes of at most `max`; longer ones, or text with a NUL inside, set m->bad. */
void kozo_put_str(struct kozo_msg *m, struct kozo_str s, uint64_t max);
void kozo_put_bytes(struct kozo_msg *m, struct kozo_bytes b, uint64_t max);

/*
 * Sends along a copy of (or with KOZO_CAP_MOVE: the) capability that `d` names. A fourth sets
 * m->bad; slot 0 sends none.
 */
void kozo_put_cap(struct kozo_msg *m, struct kozo_cap_desc d);

/* A description for kozo_put_cap: the capability in `slot`, with at most these rights. */
static inline struct kozo_cap_desc kozo_give(kozo_cptr slot, uint64_t rights, uint64_t user_rights)
{
    return (struct kozo_cap_desc){ .slot = (uint32_t)slot,
                                   .rights = (uint8_t)rights,
                                   .user_rights = (uint8_t)user_rights };
}

/* The same, and the copy gets `badge`: `slot` must hold an unbadged Endpoint or Notification. */
static inline struct kozo_cap_desc kozo_give_badged(kozo_cptr slot, uint64_t rights,
                                                    uint64_t user_rights, uint64_t badge)
{
    return (struct kozo_cap_desc){ .slot = (uint32_t)slot,
                                   .rights = (uint8_t)rights,
                                   .user_rights = (uint8_t)user_rights,
                                   .flags = KOZO_CAP_BADGE,
                                   .badge = badge };
}

/* ---- taking apart ---- */

/* Starts reading a message received from its first word and capability. */
static inline void kozo_msg_rewind(struct kozo_msg *m)
{
    m->at = 0;
    m->bad = 0;
    m->taken = 0;
}

/* The next number; 0 and m->bad when there is no more. */
static inline uint64_t kozo_get_u64(struct kozo_msg *m)
{
    if (m->at >= m->nwords) {
        m->bad = 1;
        return 0;
    }
    return m->word[m->at++];
}

/*
 * The next text or bytes, of at most `max` bytes. They lie in *m and live as long as it is not
 * written; text is ended by a NUL and has none inside. Nonsense (too long, truncated, dirty
 * padding) gives an empty one and m->bad.
 */
struct kozo_str kozo_get_str(struct kozo_msg *m, uint64_t max);
struct kozo_bytes kozo_get_bytes(struct kozo_msg *m, uint64_t max);

/* The next capability: .slot is where it arrived, 0 when it did not come. */
struct kozo_cap_desc kozo_get_cap(struct kozo_msg *m);

/* True when everything was read and nothing was nonsense. */
bool kozo_msg_done(const struct kozo_msg *m);
