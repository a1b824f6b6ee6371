/* SPDX-License-Identifier: MIT */
#include <kozo/protocol.h>
#include <kozo/string.h>

void kozo_msg_begin(struct kozo_msg *m, uint32_t label)
{
    m->label = label;
    m->nwords = m->at = m->bad = m->ncaps = m->taken = 0;
    for (unsigned i = 0; i < KOZO_MSG_REGS; i++)
        m->word[i] = 0;
}

struct kozo_str kozo_str(const char *s)
{
    return (struct kozo_str){ s, s == nullptr ? 0 : strlen(s) };
}

struct kozo_str kozo_str_cut(const char *s, uint64_t max)
{
    return (struct kozo_str){ s, s == nullptr ? 0 : strnlen(s, max) };
}

void kozo_str_copy(char *to, uint64_t size, struct kozo_str s)
{
    uint64_t n = s.len < size ? s.len : size - 1;

    if (n != 0)
        memcpy(to, s.at, n);
    to[n] = '\0';
}

bool kozo_str_is(struct kozo_str s, const char *text)
{
    return s.len == strlen(text) && (s.len == 0 || memcmp(s.at, text, s.len) == 0);
}

/* No value is longer; what is shorter can be rounded up to words without a wrap. */
constexpr uint64_t LONGEST = KOZO_MSG_WORDS * sizeof(uint64_t);

/*
 * Appends the count and room for `bytes` bytes in `words` words, the last one zeroed. Null when it
 * does not fit.
 */
static char *put_room(struct kozo_msg *m, uint64_t bytes, uint64_t words)
{
    if (m->bad || 1 + words > KOZO_MSG_WORDS - m->at) {
        m->bad = 1;
        return nullptr;
    }
    m->word[m->at++] = bytes;

    char *room = (char *)&m->word[m->at];

    m->at = (uint8_t)(m->at + words);
    m->nwords = m->at;
    if (words != 0)
        m->word[m->at - 1] = 0;
    return room;
}

void kozo_put_str(struct kozo_msg *m, struct kozo_str s, uint64_t max)
{
    if (s.len > max || s.len > LONGEST || (s.len != 0 && memchr(s.at, '\0', s.len) != nullptr)) {
        m->bad = 1;
        return;
    }

    char *room = put_room(m, s.len, s.len / 8 + 1);

    if (room != nullptr && s.len != 0)
        memcpy(room, s.at, s.len);
}

void kozo_put_bytes(struct kozo_msg *m, struct kozo_bytes b, uint64_t max)
{
    if (b.len > max || b.len > LONGEST) {
        m->bad = 1;
        return;
    }

    char *room = put_room(m, b.len, (b.len + 7) / 8);

    if (room != nullptr && b.len != 0)
        memcpy(room, b.at, b.len);
}

void kozo_put_cap(struct kozo_msg *m, struct kozo_cap_desc d)
{
    if (m->ncaps == KOZO_MSG_CAPS) {
        m->bad = 1;
        return;
    }
    m->cap[m->ncaps++] = d;
}

/*
 * Takes the count and the words of `bytes` bytes off the message; the bytes after them up to the
 * last word must be zero.
 */
static const char *get_room(struct kozo_msg *m, uint64_t max, bool text, uint64_t *bytes)
{
    uint64_t len = kozo_get_u64(m), words;

    *bytes = 0;
    if (m->bad || len > max || len > LONGEST)
        return nullptr;
    words = text ? len / 8 + 1 : (len + 7) / 8;
    if (words > (uint64_t)m->nwords - m->at)
        return nullptr;

    const char *room = (const char *)&m->word[m->at];

    for (uint64_t i = len; i < words * 8; i++)
        if (room[i] != 0)
            return nullptr;
    m->at = (uint8_t)(m->at + words);
    *bytes = len;
    return room;
}

struct kozo_str kozo_get_str(struct kozo_msg *m, uint64_t max)
{
    struct kozo_str s;

    s.at = get_room(m, max, true, &s.len);
    if (s.at != nullptr && memchr(s.at, '\0', s.len) == nullptr)
        return s;
    m->bad = 1;
    return (struct kozo_str){ "", 0 };
}

struct kozo_bytes kozo_get_bytes(struct kozo_msg *m, uint64_t max)
{
    struct kozo_bytes b;

    b.at = get_room(m, max, false, &b.len);
    if (b.at == nullptr)
        m->bad = 1;
    return b;
}

struct kozo_cap_desc kozo_get_cap(struct kozo_msg *m)
{
    unsigned i = m->taken++;

    if (i >= m->recv_count || i >= KOZO_MSG_CAPS || (m->received >> i & 1) == 0)
        return (struct kozo_cap_desc){};
    return (struct kozo_cap_desc){ .slot = m->recv_slot + i };
}

/* The eight words that always travel may hold more than the fields do, but then only zeros. */
bool kozo_msg_done(const struct kozo_msg *m)
{
    if (m->bad || (m->nwords > KOZO_MSG_REGS && m->at < m->nwords))
        return false;
    for (unsigned i = m->at; i < KOZO_MSG_REGS; i++)
        if (m->word[i] != 0)
            return false;
    return true;
}

bool kozo_version_served(uint32_t label, uint8_t major, uint8_t minor)
{
    uint8_t its = KOZO_REQUEST_MAJOR(label);

    if (its == major)
        return KOZO_REQUEST_MINOR(label) <= minor;
    return its != 0 && its + 1 == major;
}

enum kozo_err kozo_request_open(struct kozo_msg *m, uint8_t major, uint8_t minor)
{
    if ((m->what & (KOZO_MSG_FAULT | KOZO_MSG_NOTIFICATION)) != 0 || KOZO_REQUEST_OP(m->label) == 0)
        return KOZO_ERR_PROTOCOL;
    if (!kozo_version_served(m->label, major, minor))
        return KOZO_ERR_VERSION;
    kozo_msg_rewind(m);
    return KOZO_OK;
}

enum kozo_err kozo_request_refuse(struct kozo_msg *m, enum kozo_err err, uint8_t major,
                                  uint8_t minor)
{
    kozo_msg_begin(m, err);
    if (err == KOZO_ERR_VERSION)
        kozo_put_u64(m, (uint64_t)major << 8 | minor);
    return err;
}
