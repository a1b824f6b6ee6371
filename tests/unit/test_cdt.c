/* SPDX-License-Identifier: MIT */
/*
 * test_cdt.c - the derivation tree alone: slots in an array, against a plain model of parents.
 */
#include "unit.h"

#include "base/log.h"
#include "cap/cdt.h"
#include "host.h"
#include <stdlib.h>
#include <string.h>

#define SMALL 24u
#define LARGE 100'000u

static struct slot root;
static struct slot node[SMALL];

static void clear(void)
{
    host_machine_reset(HOST_RAM_BYTES);
    memset(&root, 0, sizeof root);
    memset(node, 0, sizeof node);
    cdt_init(&root);
}

/* The tour from `root` as text: "(a(b)(c))", slots named by their letter. */
static const char *tour(void)
{
    static char text[4 * SMALL + 1];
    uint32_t n = 0;

    for (struct entry e = cdt_next(cdt_open(&root)); cdt_slot(e) != &root; e = cdt_next(e)) {
        CHECK(n < sizeof text - 3);
        CHECK(cdt_same(cdt_next(cdt_prev(e)), e));
        if (cdt_is_close(e)) {
            text[n++] = ')';
        } else {
            text[n++] = '(';
            text[n++] = (char)('a' + (cdt_slot(e) - node));
        }
    }
    text[n] = '\0';
    return text;
}

TEST(a_root_alone_is_an_empty_tour)
{
    clear();
    CHECK_STR(tour(), "");
    CHECK(!cdt_has_children(&root));
    CHECK(cdt_is_linked(&root));
}

TEST(a_child_comes_right_after_its_parents_opening)
{
    clear();
    cdt_insert_child(&root, &node[0]);
    cdt_insert_child(&root, &node[1]);
    cdt_insert_child(&node[0], &node[2]);
    CHECK_STR(tour(), "(b)(a(c))");
    CHECK(cdt_has_children(&node[0]));
    CHECK(!cdt_has_children(&node[1]));
}

TEST(an_inner_slot_taken_out_leaves_its_children_to_its_parent)
{
    clear();
    cdt_insert_child(&root, &node[0]);
    cdt_insert_child(&node[0], &node[1]);
    cdt_insert_child(&node[1], &node[2]);
    cdt_insert_child(&node[1], &node[3]);
    cdt_insert_child(&node[0], &node[4]);
    CHECK_STR(tour(), "(a(e)(b(d)(c)))");
    cdt_unlink(&node[1]);
    CHECK_STR(tour(), "(a(e)(d)(c))");
    CHECK(!cdt_is_linked(&node[1]));
    cdt_unlink(&node[0]);
    CHECK_STR(tour(), "(e)(d)(c)");
}

TEST(first_middle_and_last_child_can_be_taken_out)
{
    for (uint32_t gone = 0; gone < 3; gone++) {
        static const char *const left[] = { "(d(c)(b))", "(d(c)(a))", "(d(b)(a))" };
        clear();
        cdt_insert_child(&root, &node[3]);
        for (uint32_t i = 0; i < 3; i++)
            cdt_insert_child(&node[3], &node[i]);
        cdt_unlink(&node[gone]);
        CHECK_STR(tour(), left[gone]);
    }
}

TEST(a_moved_leaf_keeps_its_place)
{
    clear();
    cdt_insert_child(&root, &node[0]);
    cdt_insert_child(&root, &node[1]);
    cdt_insert_child(&root, &node[2]);
    cdt_move(&node[5], &node[1]);
    CHECK_STR(tour(), "(c)(f)(a)");
    CHECK(!cdt_is_linked(&node[1]));
}

TEST(a_moved_inner_slot_takes_its_children_along)
{
    clear();
    cdt_insert_child(&root, &node[0]);
    cdt_insert_child(&node[0], &node[1]);
    cdt_insert_child(&node[1], &node[2]);
    cdt_insert_child(&node[1], &node[3]);
    cdt_move(&node[9], &node[1]);
    CHECK_STR(tour(), "(a(j(d)(c)))");
    cdt_move(&node[10], &node[0]);
    CHECK_STR(tour(), "(k(j(d)(c)))");
    cdt_unlink(&node[9]);
    CHECK_STR(tour(), "(k(d)(c))");
}

TEST(an_only_child_can_be_moved_and_taken_out)
{
    clear();
    cdt_insert_child(&root, &node[0]);
    cdt_move(&node[1], &node[0]);
    CHECK_STR(tour(), "(b)");
    cdt_unlink(&node[1]);
    CHECK_STR(tour(), "");
    CHECK(!cdt_has_children(&root));
}

TEST(linking_twice_is_caught)
{
    clear();
    cdt_insert_child(&root, &node[0]);
    CHECK_PANIC("assertion", cdt_insert_child(&root, &node[0]));
    CHECK_PANIC("assertion", cdt_unlink(&node[1]));
    CHECK_PANIC("assertion", cdt_move(&node[0], &node[0]));
}

/* ---- the last capability to an object ---- */

static void name(uint32_t i, enum kozo_kind kind, uint64_t object)
{
    node[i].cap.kind = kind;
    node[i].cap.object = object;
}

TEST(a_slot_is_the_last_when_no_neighbour_names_its_object)
{
    clear();
    name(0, KOZO_KIND_UNTYPED, 1);
    for (uint32_t i = 1; i < 4; i++)
        name(i, KOZO_KIND_ENDPOINT, 7);
    cdt_insert_child(&root, &node[0]);
    cdt_insert_child(&node[0], &node[1]);
    CHECK(cdt_is_last(&node[1]));
    cdt_insert_child(&node[1], &node[2]); /* a copy below */
    CHECK(!cdt_is_last(&node[1]));
    CHECK(!cdt_is_last(&node[2]));
    cdt_insert_child(&node[1], &node[3]);
    cdt_unlink(&node[1]); /* the copies are neighbours now */
    CHECK(!cdt_is_last(&node[2]));
    CHECK(!cdt_is_last(&node[3]));
    cdt_unlink(&node[3]);
    CHECK(cdt_is_last(&node[2]));
}

TEST(a_copy_that_is_the_last_of_the_children_counts)
{
    clear();
    name(0, KOZO_KIND_ENDPOINT, 7);
    name(1, KOZO_KIND_ENDPOINT, 8);
    name(2, KOZO_KIND_ENDPOINT, 7);
    cdt_insert_child(&root, &node[0]);
    cdt_insert_child(&node[0], &node[2]);
    cdt_insert_child(&node[0],
                     &node[1]); /* another object between the copy and what it was made of */
    CHECK(!cdt_is_last(&node[0]));
}

TEST(same_number_of_another_kind_is_another_object)
{
    clear();
    name(0, KOZO_KIND_IRQ_HANDLER, 7);
    name(1, KOZO_KIND_IO_PORT, 7);
    cdt_insert_child(&root, &node[0]);
    cdt_insert_child(&root, &node[1]);
    CHECK(cdt_is_last(&node[0]));
    CHECK(cdt_is_last(&node[1]));
}

/* ---- against a model ---- */

static struct model {
    bool linked;
    int parent; /* -1: the root */
} model[SMALL];

static bool model_is_below(int i, int above)
{
    while (i != above && i != -1)
        i = model[i].parent;
    return i == above;
}

static void model_compare(void)
{
    int depth[SMALL + 1] = {}, at = 0;
    int parents[SMALL + 1] = { -1 };
    uint32_t seen = 0, linked = 0;

    for (struct entry e = cdt_next(cdt_open(&root)); cdt_slot(e) != &root; e = cdt_next(e)) {
        int i = (int)(cdt_slot(e) - node);
        CHECK(cdt_same(cdt_prev(cdt_next(e)), e));
        if (cdt_is_close(e)) {
            CHECK_EQ(parents[at], i);
            at--;
        } else {
            CHECK(model[i].linked);
            CHECK_EQ(model[i].parent, parents[at]);
            parents[++at] = i;
            depth[at]++;
            seen++;
        }
    }
    for (uint32_t i = 0; i < SMALL; i++)
        linked += model[i].linked;
    CHECK_EQ(at, 0);
    CHECK_EQ(seen, linked);
}

static int pick(bool linked)
{
    for (int tries = 0; tries < 64; tries++) {
        int i = (int)host_random(SMALL);
        if (model[i].linked == linked)
            return i;
    }
    return -1;
}

static void random_insert(void)
{
    int child = pick(false), parent = host_random(4) == 0 ? -1 : pick(true);

    if (child < 0)
        return;
    cdt_insert_child(parent < 0 ? &root : &node[parent], &node[child]);
    model[child] = (struct model){ true, parent };
}

static void random_unlink(void)
{
    int i = pick(true);

    if (i < 0)
        return;
    cdt_unlink(&node[i]);
    for (uint32_t j = 0; j < SMALL; j++)
        if (model[j].linked && model[j].parent == i)
            model[j].parent = model[i].parent;
    model[i].linked = false;
}

static void random_move(void)
{
    int from = pick(true), to = pick(false);

    if (from < 0 || to < 0)
        return;
    cdt_move(&node[to], &node[from]);
    model[to] = model[from];
    model[from].linked = false;
    for (uint32_t j = 0; j < SMALL; j++)
        if (model[j].linked && model[j].parent == from)
            model[j].parent = to;
}

/* As a revoke does: take out what follows the opening until it is the closing. */
static void random_empty(void)
{
    int i = pick(true);

    if (i < 0)
        return;
    while (cdt_has_children(&node[i])) {
        int gone = (int)(cdt_slot(cdt_next(cdt_open(&node[i]))) - node);
        CHECK(model_is_below(gone, i));
        cdt_unlink(&node[gone]);
        for (uint32_t j = 0; j < SMALL; j++)
            if (model[j].linked && model[j].parent == gone)
                model[j].parent = model[gone].parent;
        model[gone].linked = false;
    }
    for (uint32_t j = 0; j < SMALL; j++)
        CHECK(!model[j].linked || (int)j == i || !model_is_below((int)j, i));
}

TEST(random_operations_agree_with_a_tree_of_parents)
{
    void (*const step[])(void) = { random_insert, random_insert, random_insert,
                                   random_unlink, random_move,   random_empty };

    clear();
    memset(model, 0, sizeof model);
    host.seed = 1;
    for (int i = 0; i < 20'000; i++) {
        step[host_random(ARRAY_LEN(step))]();
        model_compare();
    }
}

/* ---- sizes ---- */

TEST(a_chain_of_100000_is_taken_out_from_the_top)
{
    struct slot *chain = calloc(LARGE, sizeof *chain);

    clear();
    for (uint32_t i = 0; i < LARGE; i++)
        cdt_insert_child(i == 0 ? &root : &chain[i - 1], &chain[i]);
    for (uint32_t i = 0; i + 1 < LARGE; i++) {
        cdt_unlink(&chain[i]);
        CHECK_PTR(cdt_slot(cdt_next(cdt_open(&root))), &chain[i + 1]);
    }
    cdt_unlink(&chain[LARGE - 1]);
    CHECK(!cdt_has_children(&root));
    free(chain);
}
