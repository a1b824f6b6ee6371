/* SPDX-License-Identifier: MIT */
/* fsd: what its capabilities are made from, and how all of a lease end at once. */
#include "files.h"

#define LEASE_RIGHTS (RIGHT_READ | RIGHT_WRITE | RIGHT_LIST)
#define LEASES_MOST (ORIGINS - ORIGIN_LEASES)

static uint64_t leased; /* the badge of what lease() opened */

static enum kozo_err lease_for(uint64_t client, const char *path, uint64_t rights)
{
    struct kozo_msg m = from(CLIENT);
    struct fs_open_for_rep rep = {};
    enum kozo_err err = files_ops.open_for(
        &server, &m, &(struct fs_open_for_req){ client, kozo_str(path), rights }, &rep);

    CHECK_EQ(rep.file.slot != 0, err == KOZO_OK);
    leased = rep.file.badge;
    return err;
}

/* As policy does for OTHER. */
static enum kozo_err lease(const char *path)
{
    return lease_for(OTHER, path, LEASE_RIGHTS | KOZO_FILE_ACCOUNT);
}

static enum kozo_err close_with(uint64_t file, uint64_t rights)
{
    struct kozo_msg m = from(file);

    m.user = (uint8_t)rights;
    return files_ops.close(&server, &m, &(struct fs_close_req){}, &(struct fs_close_rep){});
}

/* By its opener. */
static enum kozo_err end(uint64_t file)
{
    return close_with(file, LEASE_RIGHTS | KOZO_FILE_ACCOUNT);
}

static enum kozo_err open_by(uint64_t dir, const char *path, uint64_t rights)
{
    enum kozo_err err;

    speaker = dir;
    may = LEASE_RIGHTS;
    err = open_path(path, rights);
    speaker = CLIENT;
    may = EVERYTHING;
    return err;
}

static void begin(void)
{
    serve_usual();
    speaker = CLIENT;
    may = EVERYTHING;
    CHECK_OK(make_dir("ram/d"));
    CHECK_OK(make("ram/d/f"));
}

TEST(what_is_opened_below_a_lease_is_of_the_lease)
{
    begin();
    CHECK_OK(lease("ram"));
    uint64_t dir = leased;
    CHECK(handle_origin(dir) >= ORIGIN_LEASES);
    CHECK_OK(open_by(dir, "d", RIGHT_READ | RIGHT_LIST));
    uint64_t below = opened;
    CHECK_OK(open_by(below, "f", RIGHT_READ));
    uint64_t file = opened;
    CHECK_EQ(handle_origin(below), handle_origin(dir));
    CHECK_EQ(handle_origin(file), handle_origin(dir));
    CHECK_OK(open_path("ram/d/f", RIGHT_READ));
    uint64_t own = opened;
    CHECK(handle_origin(own) < ORIGIN_LEASES);

    CHECK_OK(end(dir));
    CHECK_EQ(revokes[handle_origin(dir)],
             1); /* that is what ends them; this is for what was sent: */
    CHECK_ERR(stat_of(dir), STALE);
    CHECK_ERR(read_at(file, 0, 1), STALE);
    CHECK_ERR(open_by(below, "f", RIGHT_READ), STALE);
    CHECK_ERR(end(dir), STALE);
    CHECK_EQ(revokes[handle_origin(dir)], 1);
    CHECK_OK(stat_of(own));
    check_all();
}

/* What is made below a lease is of it, and so are the bytes of its client. */
TEST(a_lease_is_of_its_clients_account)
{
    begin();
    CHECK_OK(lease("ram/d/f"));
    uint64_t file = leased;
    CHECK_OK(write_at(file, 0, "x", 1));
    CHECK_EQ(usage(OTHER).bytes, STORE_BLOCK);
    CHECK_OK(lease_for(OTHER, "ram/d", LEASE_RIGHTS | KOZO_FILE_CREATE | KOZO_FILE_ACCOUNT));
    speaker = leased;
    CHECK_OK(make("new"));
    speaker = CLIENT;
    CHECK_EQ(handle_origin(opened), handle_origin(leased));
    CHECK_EQ(usage(OTHER).files, 1);
    CHECK_OK(end(leased));
    CHECK_ERR(stat_of(opened), STALE);
    CHECK_OK(stat_of(file)); /* another lease */
    check_all();
}

TEST(who_lacks_account_ends_nothing)
{
    begin();
    CHECK_OK(lease("ram/d"));
    CHECK_OK(close_with(leased, LEASE_RIGHTS));
    CHECK_OK(close_with(leased, 0xff & ~KOZO_FILE_ACCOUNT));
    CHECK_OK(open_by(leased, "f", RIGHT_READ));
    CHECK_OK(close_with(opened, RIGHTS_ALL));
    CHECK_OK(stat_of(leased));
    CHECK_OK(end(CLIENT)); /* an account is no lease */
    CHECK_OK(open_path("ram/d", RIGHT_READ));
    CHECK_OK(end(opened));
    CHECK_OK(stat_of(opened));
    for (uint32_t i = 0; i < ORIGINS; i++)
        CHECK_EQ(revokes[i], 0);
}

/* Nor does anybody come by it through what was leased. */
TEST(account_is_not_given_on)
{
    struct kozo_msg m;

    begin();
    CHECK_OK(lease("ram"));
    for (unsigned rights = 0; rights < 256; rights++) {
        m = from(leased);
        m.user = (uint8_t)rights;
        for (uint64_t asked = KOZO_FILE_ACCOUNT; asked < 256; asked++) {
            CHECK_ERR(files_ops.open(&server, &m, &(struct fs_open_req){ kozo_str("d"), asked },
                                     &(struct fs_open_rep){}),
                      ARGUMENT);
            CHECK(files_ops.make(&server, &m, &(struct fs_make_req){ kozo_str("n"), 1, asked },
                                 &(struct fs_make_rep){}) != KOZO_OK);
        }
    }
    CHECK_ERR(lease_for(OTHER, "ram", KOZO_FILE_ACCOUNT), ARGUMENT); /* good for nothing else */
    CHECK_ERR(lease_for(OTHER, "ram", 1ull << 8 | KOZO_FILE_ACCOUNT), ARGUMENT);
    may = RIGHTS_ALL;
    CHECK_ERR(lease("ram"), RIGHTS);
    may = EVERYTHING;
    CHECK_OK(lease_for(OTHER, "ram/d", RIGHT_READ)); /* no lease: of the account */
    CHECK_EQ(handle_origin(leased), origin_of_account(account_of(OTHER)));
    check_all();
}

TEST(leases_run_out_and_come_back)
{
    uint64_t all[LEASES_MOST];
    bool taken[ORIGINS] = {};

    begin();
    for (unsigned i = 0; i < LEASES_MOST; i++) {
        CHECK_OK(lease("ram/d"));
        all[i] = leased;
        CHECK(handle_origin(leased) >= ORIGIN_LEASES && !taken[handle_origin(leased)]);
        taken[handle_origin(leased)] = true;
    }
    CHECK_ERR(lease("ram/d"), LIMIT);
    CHECK_ERR(lease("ram/none"), NOT_FOUND);  /* what is wrong with it comes first */
    CHECK_OK(open_path("ram/d", RIGHT_READ)); /* nobody else notices */
    CHECK_OK(end(all[77]));
    CHECK_OK(lease("ram/d"));
    CHECK_EQ(handle_origin(leased), handle_origin(all[77]));
    CHECK(leased != all[77]);
    CHECK_ERR(stat_of(all[77]), STALE);
    CHECK_OK(stat_of(leased));
    CHECK_ERR(lease("ram/d"), LIMIT);
    for (unsigned i = 0; i < LEASES_MOST; i++)
        CHECK_OK(end(i == 77 ? leased : all[i]));
    CHECK_OK(lease("ram/d"));
    check_all();
}

/* An origin that was used before is as old as its turn can tell. */
TEST(turns_of_an_origin_tell_them_apart)
{
    begin();
    CHECK_OK(lease("ram/d"));
    uint64_t first = leased, before = 0;
    for (unsigned turn = 1; turn < ORIGIN_TURNS * LEASES_MOST; turn++) {
        CHECK_OK(end(leased));
        CHECK_OK(lease("ram/d"));
        if (handle_origin(leased) != handle_origin(first))
            continue;
        CHECK(leased != first && leased != before);
        before = leased;
    }
    CHECK_ERR(stat_of(first), STALE);
    CHECK_OK(end(leased));
    CHECK_OK(lease("ram/d"));
    CHECK_EQ(leased, first); /* after all the others' turns, too */
}

TEST(a_lease_that_does_not_arrive_ends)
{
    begin();
    lost = true;
    CHECK_OK(lease("ram/d"));
    uint64_t one = leased;
    CHECK_OK(stat_of(one)); /* nobody has asked for more yet */
    CHECK_OK(open_path("ram/d", RIGHT_READ));
    CHECK_EQ(revokes[handle_origin(one)], 1);
    CHECK_ERR(stat_of(one), STALE);
    for (unsigned i = 0; i < 2 * LEASES_MOST; i++)
        CHECK_OK(lease("ram/d"));
    lost = false;
    CHECK_OK(lease("ram/d"));
    one = leased;
    CHECK_OK(open_by(one, "f", RIGHT_READ));
    lost = true; /* that is of what is opened by it: the lease has arrived */
    CHECK_OK(open_by(one, "f", RIGHT_READ));
    CHECK_OK(open_by(one, "f", RIGHT_READ));
    CHECK_OK(stat_of(one));
    CHECK_OK(end(one));
    check_all();
}

TEST(what_cannot_be_given_changes_nothing)
{
    begin();
    CHECK_OK(stat_of(OTHER));
    cannot_give = KOZO_ERR_NOMEM;
    CHECK_ERR(lease("ram/d"), NOMEM);
    CHECK_ERR(open_path("ram/d", RIGHT_READ), NOMEM);
    CHECK_ERR(make("ram/d/g"), NOMEM);
    for (unsigned i = 0; i < 2 * LEASES_MOST; i++)
        CHECK_ERR(lease("ram/d"), NOMEM);
    cannot_give = KOZO_OK;
    CHECK_ERR(open_path("ram/d/g", RIGHT_READ), NOT_FOUND);
    CHECK_OK(lease("ram/d"));
    check_all();
}

/* What an earlier life of a client has by lease ends with what it opened itself, nobody else's. */
TEST(a_new_life_of_a_client_ends_its_leases)
{
    begin();
    CHECK_OK(lease("ram/d"));
    uint64_t its = leased;
    CHECK_OK(lease_for(identity_badge(2, 1), "ram/d", LEASE_RIGHTS | KOZO_FILE_ACCOUNT));
    uint64_t others = leased;

    CHECK_OK(stat_of(OTHER)); /* the same life */
    CHECK_OK(stat_of(its));
    CHECK_OK(stat_of(identity_badge(1, 2)));
    CHECK_ERR(stat_of(its), STALE);
    CHECK_EQ(revokes[handle_origin(its)], 1);
    CHECK_OK(stat_of(others));
    CHECK_ERR(end(its), STALE);
    CHECK_ERR(lease("ram/d"), STALE); /* for the life that is over */
    CHECK_OK(lease_for(identity_badge(1, 2), "ram/d", LEASE_RIGHTS | KOZO_FILE_ACCOUNT));
    CHECK_OK(lease_for(identity_badge(1, 3), "ram/d", LEASE_RIGHTS | KOZO_FILE_ACCOUNT));
    CHECK_OK(stat_of(leased));
}

/* A lease of a file that is there no more can be ended. */
TEST(a_lease_of_what_was_removed_ends)
{
    begin();
    CHECK_OK(lease("ram/d/f"));
    CHECK_OK(remove_path("ram/d/f"));
    CHECK_ERR(stat_of(leased), STALE);
    CHECK_ERR(close_with(leased, LEASE_RIGHTS), STALE);
    CHECK_EQ(revokes[handle_origin(leased)], 0);
    CHECK_OK(end(leased));
    CHECK_EQ(revokes[handle_origin(leased)], 1);
    CHECK_ERR(end(leased), STALE);
}
