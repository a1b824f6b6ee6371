/* SPDX-License-Identifier: MIT */
/*
 * hello - a client with no power of its own: it may write to the log and ask policy. hello FILE
 *
 * It asks for a file, reads it as long as it may, tries to go further, and reports each step to
 * init, which knows better than to take its word for it. Where the lease is over before all of that
 * is done, because the machine is too busy, init says so (TIMEOUT), and it asks again.
 */
#include "common/line.h"
#include "common/rights.h"
#include "common/steps.h"

#include <kozo/error.h>
#include <kozo/file.h>
#include <kozo/log.h>
#include <kozo/policy.h>
#include <kozo/print.h>
#include <kozo/sha256.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/time.h>

constexpr uint64_t grace = 20 * KOZO_MS; /* after the end of a lease, until it is tried */

static char object[256];

/* A step that the service itself calls failed is none to go on from, whatever init says to it. */
static enum kozo_err step(const char *name, bool ok, const char *expected, const char *got)
{
    enum kozo_err err = kozo_step(name, ok, expected, got);

    return err == KOZO_OK && !ok ? KOZO_ERR_STATE : err;
}

/* The capabilities it was born with, by name. */
static enum kozo_err is_born(void)
{
    const struct kozo_start *s = kozo_start();
    char text[128];
    struct line l = line_begin(text, sizeof text);

    for (uint32_t i = 0; i < s->ncaps; i++) {
        line_add(&l, i > 0 ? " " : "");
        line_add(&l, s->cap[i].name);
    }
    return step(STEP_BORN, true, "log policy", text);
}

static enum kozo_err is_granted(struct kozo_grant *g)
{
    char got[300];

    kozo_printf("asking policy to read %s\n", object);
    if (kozo_request(object, RIGHT_READ, "to print it", g) == KOZO_OK)
        kozo_snprintf(got, sizeof got, "read on %s for %llu ms", object,
                      (unsigned long long)g->lease_ms);
    else if (g->err == KOZO_ERR_DENIED)
        kozo_snprintf(got, sizeof got, "denied: %s", g->reason);
    else
        kozo_snprintf(got, sizeof got, "%s", kozo_err_text(g->err));
    return step(STEP_GRANTED, g->err == KOZO_OK, "read", got);
}

/* A piece of the file, as text can carry it: no NULs. */
static void print_piece(char *piece, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++)
        if (piece[i] == '\0')
            piece[i] = '?';
    (void)kozo_log_write(piece, bytes);
}

/* Prints the beginning and hashes more of it. The value is the number of bytes. */
static struct kozo_res read_file(struct kozo_endpoint file, struct kozo_sha256 *hash)
{
    char piece[KOZO_FILE_CHUNK], last = '\n';
    uint64_t at = 0;

    kozo_print_flush();
    while (at < STEP_READS) {
        uint64_t want = STEP_READS - at < sizeof piece ? STEP_READS - at : sizeof piece;
        struct kozo_res r = kozo_file_read(file, at, piece, want);
        uint64_t print = at < STEP_PRINTS ? STEP_PRINTS - at : 0;

        if (r.err != KOZO_OK)
            return r;
        if (r.value == 0)
            break;
        kozo_sha256_update(hash, piece, r.value);
        if (print > r.value)
            print = r.value;
        if (print > 0)
            last = piece[print - 1];
        print_piece(piece, print);
        at += r.value;
    }
    if (last != '\n')
        (void)kozo_log_write("\n", 1);
    return (struct kozo_res){ at, KOZO_OK };
}

static enum kozo_err is_read(const struct kozo_grant *g)
{
    char got[128], hex[KOZO_SHA256_HEX];
    uint8_t digest[KOZO_SHA256_BYTES];
    struct kozo_sha256 hash;
    struct kozo_res r;

    kozo_sha256_init(&hash);
    r = read_file(g->cap, &hash);
    kozo_sha256_final(&hash, digest);
    kozo_sha256_to_hex(digest, hex);
    if (r.err == KOZO_OK)
        kozo_snprintf(got, sizeof got, "%llu bytes, sha256 %s", (unsigned long long)r.value, hex);
    else
        kozo_snprintf(got, sizeof got, "%s", kozo_err_text(r.err));
    return step(STEP_CONTENTS, r.err == KOZO_OK, "the file", got);
}

/* A copy made with all rights has no more than what it was made from: the kernel sees to that. */
static enum kozo_err is_bounded(const struct kozo_grant *g)
{
    kozo_cptr slot = kozo_slot_alloc();
    enum kozo_err err =
        kozo_cap_copy(kozo_own(slot), kozo_own(g->cap.c), KOZO_RIGHTS(KOZO_WRITE, RIGHTS_ALL));
    struct kozo_verified v = kozo_cap_verify(kozo_own(slot), kozo_own(0));
    uint8_t rights = KOZO_VERIFY_USER(v.what);
    char text[RIGHTS_TEXT];
    bool ok = err == KOZO_OK && v.err == KOZO_OK && rights == RIGHT_READ;

    if (err == KOZO_OK)
        err = v.err;
    err = step(STEP_BOUNDED, ok, "read",
               err == KOZO_OK ? rights_text(text, rights) : kozo_err_text(err));
    kozo_slot_drop(slot);
    return err;
}

static enum kozo_err is_denied(void)
{
    struct kozo_grant g;
    char got[200];

    kozo_printf("asking policy to write %s\n", object);
    (void)kozo_request(object, RIGHT_WRITE, "to change it", &g);
    if (g.err == KOZO_ERR_DENIED) {
        kozo_printf("denied: %s\n", g.reason);
        kozo_printf("hint: %s\n", g.hint);
        kozo_snprintf(got, sizeof got, "denied: %s", g.reason);
    } else
        kozo_snprintf(got, sizeof got, "%s", g.err == KOZO_OK ? "granted" : kozo_err_text(g.err));
    return step(STEP_DENIED, g.err == KOZO_ERR_DENIED, "denied", got);
}

/*
 * It sleeps for the grace in any case: where a machine stood still the time may be over that nobody
 * has been woken for, and who does not sleep is first.
 */
static enum kozo_err is_expired(const struct kozo_grant *g, uint64_t granted)
{
    struct kozo_res r;
    char byte;

    (void)kozo_sleep_until(granted + g->lease_ms * KOZO_MS);
    (void)kozo_sleep(grace);
    r = kozo_file_read(g->cap, 0, &byte, 1);
    kozo_printf("reading after the lease: %s\n",
                r.err == KOZO_OK ? "still works" : kozo_err_text(r.err));
    return step(STEP_EXPIRED, r.err == KOZO_ERR_EMPTY, kozo_err_text(KOZO_ERR_EMPTY),
                r.err == KOZO_OK ? "the file could still be read" : kozo_err_text(r.err));
}

/* What must be done within one lease. TIMEOUT: it was not. */
static enum kozo_err use_lease(struct kozo_grant *g, uint64_t *granted)
{
    enum kozo_err err = is_granted(g);

    *granted = kozo_now();
    if (err == KOZO_OK)
        err = is_read(g);
    if (err == KOZO_OK)
        err = is_bounded(g);
    if (err == KOZO_OK)
        err = is_denied();
    if (err == KOZO_ERR_TIMEOUT)
        kozo_slot_drop(g->cap.c);
    return err;
}

int main(int argc, char **argv)
{
    struct kozo_grant g;
    enum kozo_err err;
    uint64_t granted;

    (void)kozo_ready();
    kozo_snprintf(object, sizeof object, "fs:%s", argc > 1 ? argv[1] : "/etc/motd");
    if (is_born() != KOZO_OK)
        return 1;
    do
        err = use_lease(&g, &granted);
    while (err == KOZO_ERR_TIMEOUT);
    return err == KOZO_OK && is_expired(&g, granted) == KOZO_OK ? 0 : 1;
}
