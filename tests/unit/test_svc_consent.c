/* SPDX-License-Identifier: MIT */
/* What waits for a person's word, and how that ends. */
#include "unit.h"

#include "common/identity.h"
#include "policy/consent.h"

#define MS 1000000ull
#define WHO(index, life) identity_badge((index), (life))

static struct consent *queue(void)
{
    static struct consent c;

    c = (struct consent){ .limit_ms = 100 };
    return &c;
}

TEST(questions_are_asked_one_at_a_time_in_their_order)
{
    struct consent *c = queue();
    uint32_t a = consent_add(c, WHO(0, 1)), b = consent_add(c, WHO(1, 1));

    CHECK_EQ(consent_next(c), a);
    CHECK_EQ(consent_deadline(c), UINT64_MAX);
    consent_show(c, a, 0);
    CHECK_EQ(consent_shown(c), a);
    CHECK_EQ(consent_next(c), CONSENT_NONE);
    consent_end(c, a);
    CHECK_EQ(consent_add(c, WHO(2, 1)), a);
    CHECK_EQ(consent_next(c), b);
}

/* What is said, and when (the limit is at 150 ms), and what comes of it. */
static const struct {
    bool yes;
    uint64_t at;
    enum consent_outcome outcome;
} answers[] = {
    { true, 50 * MS, CONSENT_YES },        { false, 50 * MS, CONSENT_NO },
    { true, 150 * MS - 1, CONSENT_YES },   { false, 150 * MS - 1, CONSENT_NO },
    { true, 150 * MS, CONSENT_SILENCE },   { false, 150 * MS, CONSENT_SILENCE },
    { true, UINT64_MAX, CONSENT_SILENCE },
};

TEST(an_answer_at_the_last_tick_is_too_late)
{
    for (unsigned i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct consent *c = queue();
        uint32_t a = consent_add(c, WHO(0, 1));

        consent_show(c, a, 50 * MS);
        CHECK_EQ(consent_answer(c, c->request[a].order, answers[i].yes, answers[i].at),
                 answers[i].outcome);
    }
}

TEST(silence_ends_a_question_at_its_limit)
{
    struct consent *c = queue();
    uint32_t a = consent_add(c, WHO(0, 1));

    CHECK_EQ(consent_late(c, UINT64_MAX), CONSENT_NONE); /* it is not on the terminal */
    consent_show(c, a, 50 * MS);
    CHECK_EQ(consent_deadline(c), 150 * MS);
    CHECK_EQ(consent_late(c, 150 * MS - 1), CONSENT_NONE);
    CHECK_EQ(consent_late(c, 150 * MS), a);
}

TEST(an_answer_to_a_question_that_is_gone_answers_nothing)
{
    struct consent *c = queue();
    uint32_t a = consent_add(c, WHO(0, 1)), b;
    uint64_t order = c->request[a].order;

    CHECK_EQ(consent_answer(c, order, true, 0), CONSENT_UNDECIDED); /* not shown yet */
    consent_show(c, a, 0);
    consent_end(c, a);
    CHECK_EQ(consent_answer(c, order, true, 1), CONSENT_UNDECIDED);
    b = consent_add(c, WHO(0, 1)); /* the same place, for the same requester */
    CHECK_EQ(b, a);
    consent_show(c, b, 0);
    CHECK_EQ(consent_answer(c, order, true, 1), CONSENT_UNDECIDED);
    CHECK_EQ(consent_answer(c, c->request[b].order, true, 1), CONSENT_YES);
}

TEST(a_flood_fills_its_own_share_of_the_queue_only)
{
    struct consent *c = queue();
    unsigned n = 0;

    while (consent_add(c, WHO(0, n + 1)) != CONSENT_NONE) /* also in life after life */
        n++;
    CHECK_EQ(n, CONSENTS_EACH);
    CHECK_EQ(consent_count(c, 0), CONSENTS_EACH);
    for (uint32_t who = 1; who < 99; who++)
        n += consent_add(c, WHO(who, 1)) != CONSENT_NONE;
    CHECK_EQ(n, CONSENTS);
}
