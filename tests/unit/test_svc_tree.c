/* SPDX-License-Identifier: MIT */
/* Balanced trees of places beside a list of which place is in. Comparisons are counted. */
#include "unit.h"

#include "fsd/tree.h"

#include <stdio.h>
#include <string.h>

#define PLACES 4096u

static struct {
    uint32_t key;
    struct tree_link link;
} item[PLACES];

static struct tree tree;
static bool in[PLACES]; /* by key; place i has key i * 7919 modulo PLACES */
static uint32_t compared;

static int order(const void *array, const void *key, uint32_t at)
{
    uint32_t k = *(const uint32_t *)key;

    CHECK_PTR(array, item);
    compared++;
    return k < item[at].key ? -1 : k > item[at].key;
}

static void begin(void)
{
    for (uint32_t i = 0; i < PLACES; i++)
        item[i].key = i * 7919 % PLACES;
    memset(in, 0, sizeof in);
    tree_init(&tree, item, order, &item[0].link, sizeof item[0]);
}

static uint32_t place_of(uint32_t key)
{
    for (uint32_t i = 0; i < PLACES; i++)
        if (item[i].key == key)
            return i;
    FAIL("no place has key %u", key);
}

static void insert(uint32_t at)
{
    tree_insert(&tree, &item[at].key, at);
    in[item[at].key] = true;
}

static void take(uint32_t at)
{
    tree_remove(&tree, &item[at].key, at);
    in[item[at].key] = false;
}

/* All below `at` is between two keys, and balanced; returns its height. */
static uint32_t check_below(uint32_t at, int64_t low, int64_t high, uint32_t *count)
{
    uint32_t before, after;

    if (at == TREE_NONE)
        return 0;
    CHECK(item[at].key > low && item[at].key < high && in[item[at].key]);
    before = check_below(item[at].link.child[0], low, item[at].key, count);
    after = check_below(item[at].link.child[1], item[at].key, high, count);
    CHECK(before <= after + 1 && after <= before + 1);
    CHECK_EQ(item[at].link.height, 1 + (before > after ? before : after));
    ++*count;
    return item[at].link.height;
}

/* Returns how many are in. */
static uint32_t check_tree(void)
{
    uint32_t count = 0, want = 0;

    (void)check_below(tree.root, -1, PLACES, &count);
    for (uint32_t k = 0; k < PLACES; k++)
        want += in[k];
    CHECK_EQ(count, want);
    return count;
}

/* The least tree of height h has the Fibonacci number h + 2, less 1. */
static uint32_t height_for(uint32_t places)
{
    uint64_t least = 1, next = 2, sum;
    uint32_t h = 0;

    for (; least <= places; h++) {
        sum = least + next + 1;
        least = next;
        next = sum;
    }
    return h;
}

/* Every key is found or not as the list says, and what follows it; at no more steps than said. */
static void check_all_keys(void)
{
    uint32_t count = check_tree(), after = TREE_NONE;

    for (uint32_t k = PLACES; k-- > 0;) {
        uint32_t found;

        compared = 0;
        found = tree_find(&tree, &k);
        CHECK(compared <= height_for(count));
        CHECK(in[k] ? found != TREE_NONE && item[found].key == k : found == TREE_NONE);
        compared = 0;
        CHECK_EQ(tree_after(&tree, &k), after);
        CHECK(compared <= height_for(count));
        if (found != TREE_NONE)
            after = found;
    }
}

TEST(heights_are_as_stated)
{
    CHECK_EQ(height_for(0), 0);
    CHECK_EQ(height_for(1), 1);
    CHECK_EQ(height_for(3), 2);
    CHECK_EQ(height_for(4), 3);
    CHECK_EQ(height_for(65536), 22);
    CHECK_EQ(height_for(TREE_PLACES), TREE_HEIGHT);
}

TEST(places_that_come_in_order_stay_balanced)
{
    begin();
    for (uint32_t k = 0; k < PLACES; k++)
        insert(place_of(k));
    check_all_keys();
    for (uint32_t k = 0; k < PLACES; k += 2) /* from one side, and every other one */
        take(place_of(k));
    check_all_keys();
    begin();
    for (uint32_t k = PLACES; k-- > 0;)
        insert(place_of(k));
    check_all_keys();
    for (uint32_t k = 0; k < PLACES - 5; k++)
        take(place_of(k));
    check_all_keys();
}

TEST(places_come_and_go_in_any_order)
{
    uint64_t state = 1;

    begin();
    for (uint32_t step = 0; step < 60000; step++) {
        uint32_t at, limit = step / 10000 % 2 == 0 ? 12 : 4; /* more come, then more go */

        state = state * 6364136223846793005ull + 1442695040888963407ull;
        at = (uint32_t)(state >> 33) % PLACES;
        if ((state >> 50) % 16 < limit && !in[item[at].key])
            insert(at);
        else if ((state >> 50) % 16 >= limit && in[item[at].key])
            take(at);
        if (step % 500 == 0)
            (void)check_tree();
        if (step % 10000 == 0)
            check_all_keys();
    }
    for (uint32_t i = 0; i < PLACES; i++)
        if (in[item[i].key])
            take(i);
    CHECK_EQ(check_tree(), 0);
    CHECK_EQ(tree.root, TREE_NONE);
}

/* Every tree of few places, and each of them taken out. */
TEST(small_trees_lose_any_place)
{
    for (uint32_t count = 1; count <= 40; count++) {
        for (uint32_t out = 0; out < count; out++) {
            begin();
            for (uint32_t i = 0; i < count; i++)
                insert(i);
            take(out);
            CHECK_EQ(check_tree(), count - 1);
        }
    }
}
