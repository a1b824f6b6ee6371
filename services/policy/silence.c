/* SPDX-License-Identifier: MIT */
#include "policy/silence.h"

#include <kozo/time.h>

/* That of the object's provider; SILENCES when there is none. */
static uint32_t find(const struct silences *s, struct kozo_str object)
{
    struct kozo_str provider = text_cut(&object, ':');
    uint32_t i = 0;

    while (i < SILENCES && !text_equal(kozo_str(s->of[i].provider), provider))
        i++;
    return i;
}

uint64_t silence_until(const struct silences *s, struct kozo_str object, uint64_t now)
{
    uint32_t i = find(s, object);

    return i < SILENCES && s->of[i].until > now ? s->of[i].until : 0;
}

/* A free one, or the one that is over first. */
static uint32_t take(const struct silences *s)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < SILENCES; i++)
        if (s->of[i].until < s->of[best].until)
            best = i;
    return best;
}

uint32_t silence_note(struct silences *s, struct kozo_str object, uint64_t now)
{
    uint32_t i = find(s, object);
    struct silence *it;

    if (i == SILENCES) {
        i = take(s);
        s->of[i] = (struct silence){ .wait_ms = SILENCE_FIRST_MS / 2 };
        kozo_str_copy(s->of[i].provider, sizeof s->of[i].provider, text_cut(&object, ':'));
    }
    it = &s->of[i];
    it->wait_ms = 2 * it->wait_ms < SILENCE_MOST_MS ? 2 * it->wait_ms : SILENCE_MOST_MS;
    it->until = now + it->wait_ms * KOZO_MS;
    return it->wait_ms;
}

void silence_end(struct silences *s, struct kozo_str object)
{
    uint32_t i = find(s, object);

    if (i < SILENCES)
        s->of[i] = (struct silence){};
}
