/* SPDX-License-Identifier: MIT */
/*
 * make.h - makes a protocol's C from its table.
 *
 * Owns:      the names it makes.
 * Not here:  how values are laid out in a message (msg.h), versions (protocol.h).
 * Callers:   a header for each protocol.
 * Cost:      a handful of loads and stores a field.
 * Spec:      docs/spec/services.md, "Protocols"
 *
 * Included once for each protocol, hence no guard:
 *
 *     #define KOZO_PROTO fs
 *     #define KOZO_PROTO_UPPER FS
 *     #define KOZO_PROTO_TABLE <kozo/proto/fs.def>
 *     #include <kozo/make.h>
 *
 * The table, of which kozo/proto/fs.def is an example:
 *     KOZO_VERSION(major, minor)
 *     KOZO_OP(number, NAME, name, request fields, reply fields, summary)
 *
 * Fields, with nothing between two of them:
 *     KOZO_U64(name)               a number
 *     KOZO_STR(name, max)          text of so many bytes at most
 *     KOZO_BYTES(name, max)        bytes, so many at most
 *     KOZO_CAP(name)               a capability beside the words
 *     KOZO_NONE                    no field
 *
 * It makes, here for an operation `read`:
 *     FS_MAJOR, FS_MINOR, FS_OP_READ, fs_op_name(op)
 *     struct fs_read_req, fs_read_rep      the fields; text and bytes point into the message
 *     fs_put_read_req, fs_get_read_req     into a message and out of it; the same for _rep
 *     fs_call_read(ep, &m, &req, &rep)     the client's side
 *     struct fs_ops { .read = ... }        the server's side: a handler each, null = not served
 *     fs_dispatch(&ops, server, &m)        decode, call the handler, encode; the value: m.err
 *
 * A handler gets the server's state (struct fs_server, which the server defines), the message for
 * its badge and user rights, the request, and an answer full of zeros. It fills the answer also
 * when it returns an error (a reason, say); what it lets the answer point to must not lie in the
 * message, which is written over.
 */
#include <kozo/protocol.h>

#define KOZO_GLUE_(a, b) a##b
#define KOZO_GLUE(a, b) KOZO_GLUE_(a, b)
#define KOZO_P(x) KOZO_GLUE(KOZO_GLUE(KOZO_PROTO, _), x)
#define KOZO_PU(x) KOZO_GLUE(KOZO_GLUE(KOZO_PROTO_UPPER, _), x)
#define KOZO_NONE

/* ---- numbers ---- */

#define KOZO_VERSION(major, minor) KOZO_PU(MAJOR) = (major), KOZO_PU(MINOR) = (minor),
#define KOZO_OP(nr, NAME, name, req, rep, text) KOZO_GLUE(KOZO_PU(OP_), NAME) = (nr),
enum KOZO_P(op) : uint16_t {
#include KOZO_PROTO_TABLE
};
#undef KOZO_VERSION
#undef KOZO_OP
#define KOZO_VERSION(major, minor)

/* ---- types ---- */

#undef KOZO_NONE
#define KOZO_NONE uint8_t none;
#define KOZO_U64(n) uint64_t n;
#define KOZO_STR(n, max) struct kozo_str n;
#define KOZO_BYTES(n, max) struct kozo_bytes n;
#define KOZO_CAP(n) struct kozo_cap_desc n;
#define KOZO_OP(nr, NAME, name, req, rep, text)        \
    struct KOZO_P(name##_req) { req };                 \
    struct KOZO_P(name##_rep) { rep };
#include KOZO_PROTO_TABLE
#undef KOZO_OP
#undef KOZO_NONE
#undef KOZO_U64
#undef KOZO_STR
#undef KOZO_BYTES
#undef KOZO_CAP
#define KOZO_NONE

/* ---- into a message ---- */

#define KOZO_U64(n) kozo_put_u64(m, v->n);
#define KOZO_STR(n, max) kozo_put_str(m, v->n, max);
#define KOZO_BYTES(n, max) kozo_put_bytes(m, v->n, max);
#define KOZO_CAP(n) kozo_put_cap(m, v->n);
#define KOZO_OP(nr, NAME, name, req, rep, text)                                    \
    static inline bool KOZO_P(put_##name##_req)(                                   \
        struct kozo_msg * m, [[maybe_unused]] const struct KOZO_P(name##_req) * v) \
    {                                                                              \
        kozo_msg_begin(m, KOZO_REQUEST(nr, KOZO_PU(MAJOR), KOZO_PU(MINOR)));       \
        req return !m->bad;                                                        \
    }                                                                              \
    static inline bool KOZO_P(put_##name##_rep)(                                   \
        struct kozo_msg * m, [[maybe_unused]] const struct KOZO_P(name##_rep) * v) \
    {                                                                              \
        kozo_msg_begin(m, KOZO_OK);                                                \
        rep return !m->bad;                                                        \
    }
#include KOZO_PROTO_TABLE
#undef KOZO_OP
#undef KOZO_U64
#undef KOZO_STR
#undef KOZO_BYTES
#undef KOZO_CAP

/* ---- out of a message ---- */

#define KOZO_U64(n) v->n = kozo_get_u64(m);
#define KOZO_STR(n, max) v->n = kozo_get_str(m, max);
#define KOZO_BYTES(n, max) v->n = kozo_get_bytes(m, max);
#define KOZO_CAP(n) v->n = kozo_get_cap(m);
#define KOZO_OP(nr, NAME, name, req, rep, text)                                \
    static inline bool KOZO_P(get_##name##_req)(struct kozo_msg * m,           \
                                                struct KOZO_P(name##_req) * v) \
    {                                                                          \
        *v = (struct KOZO_P(name##_req)){};                                    \
        kozo_msg_rewind(m);                                                    \
        req return kozo_msg_done(m);                                           \
    }                                                                          \
    static inline bool KOZO_P(get_##name##_rep)(struct kozo_msg * m,           \
                                                struct KOZO_P(name##_rep) * v) \
    {                                                                          \
        *v = (struct KOZO_P(name##_rep)){};                                    \
        kozo_msg_rewind(m);                                                    \
        rep return kozo_msg_done(m);                                           \
    }
#include KOZO_PROTO_TABLE
#undef KOZO_OP
#undef KOZO_U64
#undef KOZO_STR
#undef KOZO_BYTES
#undef KOZO_CAP

/* From here on the fields are not looked at any more. */
#define KOZO_U64(n)
#define KOZO_STR(n, max)
#define KOZO_BYTES(n, max)
#define KOZO_CAP(n)

/* ---- client ---- */

/*
 * NAME_call_OP: asks `ep`, waits, and takes the answer apart; what *rep points to lives in *m. The
 * window and deadline set in *m count. Returns the kernel's error, or the server's, or PROTOCOL
 * when request or answer do not fit the table.
 */
#define KOZO_OP(nr, NAME, name, req, rep, text)                                                   \
    static inline enum kozo_err KOZO_P(call_##name)(struct kozo_endpoint ep, struct kozo_msg * m, \
                                                    const struct KOZO_P(name##_req) * q,          \
                                                    struct KOZO_P(name##_rep) * p)                \
    {                                                                                             \
        enum kozo_err err;                                                                        \
                                                                                                  \
        *p = (struct KOZO_P(name##_rep)){};                                                       \
        if (!KOZO_P(put_##name##_req)(m, q))                                                      \
            return m->err = KOZO_ERR_PROTOCOL;                                                    \
        err = kozo_call(ep, m);                                                                   \
        if (err != KOZO_OK)                                                                       \
            return err;                                                                           \
        if (!KOZO_P(get_##name##_rep)(m, p)) {                                                    \
            *p = (struct KOZO_P(name##_rep)){};                                                   \
            return m->err != KOZO_OK ? m->err : (m->err = KOZO_ERR_PROTOCOL);                     \
        }                                                                                         \
        return m->err;                                                                            \
    }
#include KOZO_PROTO_TABLE
#undef KOZO_OP

/* ---- server ---- */

struct KOZO_P(server);
struct KOZO_P(ops) {
#define KOZO_OP(nr, NAME, name, req, rep, text)                                                   \
    enum kozo_err (*name)(struct KOZO_P(server) * server, const struct kozo_msg *m,               \
                          const struct KOZO_P(name##_req) * req_, struct KOZO_P(name##_rep) * rep_);
#include KOZO_PROTO_TABLE
#undef KOZO_OP
};

#define KOZO_OP(nr, NAME, name, req, rep, text)                                               \
    static inline enum kozo_err KOZO_P(serve_##name)(                                         \
        const struct KOZO_P(ops) * ops, struct KOZO_P(server) * server, struct kozo_msg * m)  \
    {                                                                                         \
        struct KOZO_P(name##_req) q;                                                          \
        struct KOZO_P(name##_rep) p = {};                                                     \
        enum kozo_err err;                                                                    \
                                                                                              \
        if (ops->name == nullptr || !KOZO_P(get_##name##_req)(m, &q))                         \
            return kozo_request_refuse(m, KOZO_ERR_PROTOCOL, KOZO_PU(MAJOR), KOZO_PU(MINOR)); \
        err = ops->name(server, m, &q, &p);                                                   \
        if (!KOZO_P(put_##name##_rep)(m, &p))                                                 \
            return kozo_request_refuse(m, KOZO_ERR_PROTOCOL, KOZO_PU(MAJOR), KOZO_PU(MINOR)); \
        return err;                                                                           \
    }
#include KOZO_PROTO_TABLE
#undef KOZO_OP

/* Makes of the request in *m its answer, all but the result: m.err = fs_dispatch(...). */
static inline enum kozo_err KOZO_P(dispatch)(const struct KOZO_P(ops) * ops,
                                             struct KOZO_P(server) * server, struct kozo_msg *m)
{
    enum kozo_err err = kozo_request_open(m, KOZO_PU(MAJOR), KOZO_PU(MINOR));

    if (err != KOZO_OK)
        return kozo_request_refuse(m, err, KOZO_PU(MAJOR), KOZO_PU(MINOR));
    switch (KOZO_REQUEST_OP(m->label)) {
#define KOZO_OP(nr, NAME, name, req, rep, text) \
    case nr:                                    \
        return KOZO_P(serve_##name)(ops, server, m);
#include KOZO_PROTO_TABLE
#undef KOZO_OP
    default:
        return kozo_request_refuse(m, KOZO_ERR_PROTOCOL, KOZO_PU(MAJOR), KOZO_PU(MINOR));
    }
}

/* The operation's name as the table has it, "?" when there is none. */
static inline const char *KOZO_P(op_name)(uint16_t op)
{
    switch (op) {
#define KOZO_OP(nr, NAME, name, req, rep, text) \
    case nr:                                    \
        return #name;
#include KOZO_PROTO_TABLE
#undef KOZO_OP
    default:
        return "?";
    }
}

#undef KOZO_VERSION
#undef KOZO_NONE
#undef KOZO_U64
#undef KOZO_STR
#undef KOZO_BYTES
#undef KOZO_CAP
#undef KOZO_P
#undef KOZO_PU
#undef KOZO_GLUE
#undef KOZO_GLUE_
#undef KOZO_PROTO
#undef KOZO_PROTO_UPPER
#undef KOZO_PROTO_TABLE
