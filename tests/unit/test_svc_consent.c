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

static struct consent_said yes_to(uint64_t order)
{
    return (struct consent_said){ true, true, order };
}

static struct consent_said no_to(uint64_t order)
{
    return (struct consent_said){ true, false, order };
}

static enum consent_outcome settle(struct consent *c, struct consent_said said, uint64_t now)
{
    return consent_settle(c, &said, now);
}

/* When a look is taken (the limit is at 150 ms), and what it makes of a yes, a no, and silence. */
static const struct {
    uint64_t at;
    enum consent_outcome yes, no, nothing;
} looks[] = {
    { 50 * MS, CONSENT_YES, CONSENT_NO, CONSENT_UNDECIDED },
    { 150 * MS - 1, CONSENT_YES, CONSENT_NO, CONSENT_UNDECIDED },
    { 150 * MS, CONSENT_SILENCE, CONSENT_SILENCE, CONSENT_SILENCE },
    { 150 * MS + 1, CONSENT_SILENCE, CONSENT_SILENCE, CONSENT_SILENCE },
    { UINT64_MAX, CONSENT_SILENCE, CONSENT_SILENCE, CONSENT_SILENCE },
};

TEST(an_answer_at_the_last_tick_is_too_late)
{
    for (unsigned i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        struct consent *c = queue();
        uint32_t a = consent_add(c, WHO(0, 1));
        uint64_t order = c->request[a].order;

        CHECK_EQ(settle(c, (struct consent_said){}, looks[i].at),
                 CONSENT_UNDECIDED); /* not shown */
        consent_show(c, a, 50 * MS);
        CHECK_EQ(consent_deadline(c), 150 * MS);
        CHECK_EQ(settle(c, yes_to(order), looks[i].at), looks[i].yes);
        CHECK_EQ(settle(c, no_to(order), looks[i].at), looks[i].no);
        CHECK_EQ(settle(c, (struct consent_said){}, looks[i].at), looks[i].nothing);
    }
}

/*
 * A yes is said at `answer`; policy looks at those of the five ticks around the limit that `when`
 * names, a bit each: whichever of the two it sees first, there is one end, and after it none.
 */
static void race(uint64_t answer, unsigned when)
{
    struct consent *c = queue();
    uint32_t a = consent_add(c, WHO(0, 1));
    uint64_t order = c->request[a].order;
    enum consent_outcome end = CONSENT_UNDECIDED;
    unsigned ends = 0;
    bool told = false;

    consent_show(c, a, 50 * MS);
    for (unsigned tick = 0; tick < 5; tick++) {
        uint64_t now = 150 * MS - 2 + tick;
        bool anything = !told && now >= answer;
        enum consent_outcome o;

        if ((when & 1u << tick) == 0)
            continue;
        o = settle(c, (struct consent_said){ anything, true, order }, now);
        told |= anything; /* an answer is told once */
        if (o == CONSENT_UNDECIDED)
            continue;
        ends++;
        end = o;
        CHECK_EQ(o, anything && now < 150 * MS ? CONSENT_YES : CONSENT_SILENCE);
        consent_end(c, a);
    }
    CHECK_EQ(ends, 1);
    CHECK(end != CONSENT_YES || answer < 150 * MS);
}

TEST(an_answer_and_the_limit_make_one_end_in_whatever_order_they_are_seen)
{
    for (uint64_t answer = 150 * MS - 3; answer <= 150 * MS + 2; answer++)
        for (unsigned when = 0; when < 1u << 5; when++)
            if (when >> 2 != 0) /* at least once when the limit is there */
                race(answer, when);
}

TEST(an_answer_to_a_question_that_is_gone_answers_nothing)
{
    struct consent *c = queue();
    uint32_t a = consent_add(c, WHO(0, 1)), b;
    uint64_t order = c->request[a].order;

    CHECK_EQ(settle(c, yes_to(order), 0), CONSENT_UNDECIDED); /* not shown yet */
    consent_show(c, a, 0);
    consent_end(c, a);
    CHECK_EQ(settle(c, yes_to(order), 1), CONSENT_UNDECIDED);
    b = consent_add(c, WHO(0, 1)); /* the same place, for the same requester */
    CHECK_EQ(b, a);
    consent_show(c, b, 0);
    CHECK_EQ(settle(c, yes_to(order), 1), CONSENT_UNDECIDED);
    CHECK_EQ(settle(c, yes_to(order), 100 * MS), CONSENT_SILENCE); /* by its own limit */
    CHECK_EQ(settle(c, yes_to(c->request[b].order), 1), CONSENT_YES);
}

TEST(a_flood_fills_its_own_share_of_the_queue_only)
{
    struct consent *c = queue();
    unsigned n = 0;

    while (consent_add(c, WHO(0, n + 1)) != CONSENT_NONE) /* also in life after life */
        n++;
    CHECK_EQ(n, CONSENTS_EACH);
    CHECK_EQ(consent_count(c, 0), CONSENTS_EACH);
    for (uint32_t who = 0; who < MANIFEST_SERVICES; who++)
        for (uint32_t i = 0; i < 9; i++) {
            n += consent_add(c, WHO(who, 1)) != CONSENT_NONE;
            n += consent_add(c, WHO(who, 1) | IDENTITY_LENT) != CONSENT_NONE;
        }
    CHECK_EQ(n, CONSENTS);
}

TEST(a_service_that_is_refused_again_and_again_leaves_the_person_in_peace)
{
    struct consent *c = queue();
    uint64_t end = 7 * MS + CONSENT_QUIET_MS * MS;

    for (uint32_t n = 0; n < 2 * CONSENT_NOES - 1; n++) {
        uint32_t k = consent_add(c, WHO(3, 1 + n));

        CHECK_EQ(consent_quiet_for(c, WHO(3, 1), 7 * MS), 0);
        consent_note(c, k,
                     n == CONSENT_NOES - 2 ? CONSENT_YES
                     : n % 2 == 0          ? CONSENT_NO
                                           : CONSENT_SILENCE,
                     7 * MS); /* a yes begins anew; another life does not */
        consent_end(c, k);
    }
    CHECK_EQ(consent_quiet_for(c, WHO(4, 1), 7 * MS), 0);
    CHECK_EQ(consent_quiet_for(c, WHO(3, 99), 7 * MS), CONSENT_QUIET_MS * MS);
    CHECK_EQ(consent_quiet_for(c, WHO(3, 99), end - 1), 1);
    CHECK_EQ(consent_quiet_for(c, WHO(3, 99), end), 0);
    CHECK_EQ(consent_quiet_for(c, WHO(3, 99), end + 1), 0);
}

/* Five questions that stand for `stand`, with `pause` between one's end and the next one. */
static bool is_quiet_after(uint64_t stand, uint64_t pause)
{
    struct consent *c = queue();
    uint64_t now = 0;

    c->limit_ms = 30000;
    for (uint32_t n = 0; n < CONSENT_NOES; n++) {
        uint32_t k = consent_add(c, WHO(3, 1));

        now += n > 0 ? pause : 0;
        consent_show(c, k, now);
        now += stand;
        consent_note(c, k, CONSENT_NO, now);
        consent_end(c, k);
    }
    return consent_quiet_for(c, WHO(3, 1), now) > 0;
}

TEST(noes_count_together_only_within_a_minute)
{
    CHECK(is_quiet_after(0, 0));
    CHECK(is_quiet_after(MS, 15000 * MS - 1));
    CHECK(!is_quiet_after(MS, 15000 * MS)); /* four pauses: the first one is a minute ago */
    CHECK(!is_quiet_after(MS, 30000 * MS));
    CHECK(is_quiet_after(30000 * MS, 1000 * MS)); /* no time passes while it holds the terminal */
    CHECK(!is_quiet_after(30000 * MS, 15000 * MS));
}

TEST(a_program_that_is_refused_does_not_silence_who_runs_it)
{
    struct consent *c = queue();
    uint64_t program = WHO(3, 1) | IDENTITY_LENT;

    for (uint32_t n = 0; n < CONSENT_NOES; n++) {
        uint32_t k = consent_add(c, program);

        consent_note(c, k, CONSENT_NO, 7 * MS);
        consent_end(c, k);
    }
    CHECK(consent_quiet_for(c, program, 8 * MS) > 0);
    CHECK_EQ(consent_quiet_for(c, WHO(3, 1), 8 * MS), 0);
    while (consent_add(c, program) != CONSENT_NONE)
        ;
    CHECK(consent_add(c, WHO(3, 1)) != CONSENT_NONE);
}
