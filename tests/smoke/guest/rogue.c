/* SPDX-License-Identifier: MIT */
/*
 * rogue - a service for hello's place that does the demonstration but for what it is told: rogue
 * FILE HOW
 *
 * It is no test program of its own: tests/smoke/test_demo.py puts it into the manifest, and sees
 *                                   that init takes nobody's
 * word for anything.
 */
#include "common/rights.h"
#include "common/steps.h"

#include "nmi.h"

#include <kozo/error.h>
#include <kozo/file.h>
#include <kozo/log.h>
#include <kozo/policy.h>
#include <kozo/print.h>
#include <kozo/sha256.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/time.h>

static const char *how;
static char object[256];

static bool is(const char *what)
{
    return strcmp(how, what) == 0;
}

/* False: its lease was over before, and the steps from the grant on come again. */
static bool report(const char *step, const char *got)
{
    return kozo_step(step, true, "", got) != KOZO_ERR_TIMEOUT;
}

static bool ask(struct kozo_grant *g)
{
    char got[128];

    (void)kozo_request(object, RIGHT_READ, "no reason", g);
    kozo_snprintf(got, sizeof got, "read on %s for %llu ms", object,
                  (unsigned long long)g->lease_ms);
    return report(STEP_GRANTED, got);
}

/* In a server's place: is asked, and does not answer. */
static void serve_badly(void)
{
    struct kozo_msg m;

    kozo_msg_init(&m);
    if (is("hang"))
        (void)kozo_sleep(3600 * KOZO_S);
    if (is("crash-soon"))
        (void)kozo_sleep(KOZO_S);
    else
        (void)kozo_recv(kozo_cap_endpoint("serve"), &m);
    *(volatile int *)8 = 1;
}

/* Asks, but has no slot for what it may be given. */
static void ask_without_window(void)
{
    struct policy_request_req req = { .object = kozo_str(object), .rights = RIGHT_READ };
    struct policy_request_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    (void)policy_call_request(kozo_cap_endpoint("policy"), &m, &req, &rep);
}

/* The right hash; what is printed is another matter. */
static bool show(const struct kozo_grant *g)
{
    static char file[STEP_PRINTS];
    struct kozo_res r = kozo_file_read(g->cap, 0, file, sizeof file);
    char got[128], hex[KOZO_SHA256_HEX];
    uint8_t digest[KOZO_SHA256_BYTES];

    kozo_sha256(file, r.value, digest);
    kozo_sha256_to_hex(digest, hex);
    if (is("print-else"))
        file[0] ^= 1;
    if (!is("print-nothing"))
        (void)kozo_log_write(file, r.value);
    if (is("print-more"))
        (void)kozo_log_write("more\n", 5);
    kozo_snprintf(got, sizeof got, "%llu bytes, sha256 %s", (unsigned long long)r.value, hex);
    return report(STEP_CONTENTS, got);
}

static bool be_denied(void)
{
    struct kozo_grant g;
    char got[200];

    (void)kozo_request(object, RIGHT_WRITE, "no reason", &g);
    kozo_snprintf(got, sizeof got, "denied: %s", g.reason);
    return report(STEP_DENIED, is("other-reason") ? "denied: out of spite" : got);
}

/* What must be done within one lease; false: it was not. */
static bool use_lease(struct kozo_grant *g)
{
    if (!ask(g))
        return false;
    if (is("exit-late"))
        kozo_exit(1);
    if (is("dawdle")) {
        how = ""; /* the first time */
        (void)kozo_sleep(g->lease_ms * KOZO_MS);
        (void)kozo_sleep(20 * KOZO_MS);
    }
    return show(g) && report(STEP_BOUNDED, is("more-rights") ? "read write" : "read") &&
           (!is("never-asked") || report(STEP_DENIED, "denied: because")) && be_denied();
}

int main(int argc, char **argv)
{
    struct kozo_grant g;

    how = argc > 2 ? argv[2] : "";
    kozo_snprintf(object, sizeof object, "fs:%s", argc > 1 ? argv[1] : "");
    if (is("crash"))
        *(volatile int *)8 = 1;
    if (is("exit"))
        return 1;
    if (is("silent"))
        (void)kozo_sleep(3600 * KOZO_S);
    (void)kozo_ready();
    if (is("crash-late"))
        *(volatile int *)8 = 1;
    if (is("hang") || is("crash-soon") || is("crash-on-call"))
        serve_badly();
    if (is("crash-by-nmi")) {
        nmi_await();
        *(volatile int *)8 = 1;
    }
    if (is("no-window"))
        ask_without_window();
    if (!is("skip-born"))
        (void)report(STEP_BORN, "log policy");
    while (!use_lease(&g))
        kozo_slot_drop(g.cap.c);
    if (!is("early"))
        (void)kozo_sleep(g.lease_ms * KOZO_MS + 20 * KOZO_MS);
    (void)report(STEP_EXPIRED, kozo_err_text(KOZO_ERR_EMPTY));
    return 0;
}
