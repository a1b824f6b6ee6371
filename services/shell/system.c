/* SPDX-License-Identifier: MIT */
/* Commands about services and the machine, by the capability `system`. */
#include "init/commands.h"
#include "shell/json.h"
#include "shell/run.h"
#include "shell/shell.h"

#include <kozo/error.h>
#include <kozo/policy.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/system.h>
#include <kozo/time.h>

static struct kozo_msg message;

static struct kozo_endpoint system_cap(void)
{
    kozo_msg_init(&message);
    return kozo_cap_endpoint("system");
}

static enum kozo_err service(uint64_t index, struct system_service_rep *rep)
{
    return system_call_service(system_cap(), &message,
                               &(struct system_service_req){ .index = index }, rep);
}

/* ---- ps ---- */

static const char *state_of(const struct system_service_rep *s)
{
    static const char *const of_thread[] = { "?",      "stopped", "ready", "sends to",
                                             "serves", "calls",   "waits", "faulted" };

    if (s->state != 1)
        return s->state == 0 ? "absent" : "ended";
    return s->thread < sizeof of_thread / sizeof of_thread[0] ? of_thread[s->thread] : "?";
}

uint32_t command_ps(const struct words *w, uint32_t)
{
    struct system_service_rep s;
    enum kozo_err err = KOZO_OK;

    if (!shell_print("%-12s %-9s %-12s %10s %8s %4s %5s\n", "SERVICE", "STATE", "OF", "CPU us",
                     "KiB", "PRIO", "LIVES"))
        return 1;
    for (uint64_t i = 0; (err = service(i, &s)) == KOZO_OK; i++)
        if (!shell_print("%-12.*s %-9s %-12.*s %10llu %8llu %4llu %5llu\n", (int)s.name.len,
                         s.name.at, state_of(&s), (int)s.waits.len, s.waits.at,
                         (unsigned long long)(s.time / KOZO_US),
                         (unsigned long long)(s.memory / 1024), (unsigned long long)s.priority,
                         (unsigned long long)s.life))
            return 1;
    return err == KOZO_ERR_NOT_FOUND ? 0 : shell_fail_err(w->word[0], err);
}

/* ---- caps ---- */

static const char *rights_of(char to[8], uint64_t what)
{
    static const char letters[] = "rwgmx";
    unsigned n = 0;

    for (unsigned i = 0; i < 5; i++)
        to[n++] = (KOZO_VERIFY_RIGHTS(what) & 1u << i) != 0 ? letters[i] : '-';
    to[n] = '\0';
    return to;
}

static uint32_t list_caps(uint64_t index, const char *name)
{
    struct system_cap_rep c = {};
    enum kozo_err err;
    char rights[8];

    for (uint64_t from = 1;; from = c.slot + 1) {
        err = system_call_cap(system_cap(), &message,
                              &(struct system_cap_req){ .index = index, .from = from }, &c);
        if (err != KOZO_OK)
            break;
        if (!shell_print("%-12s %4llu %-14.*s %-12s %s %02x %#llx\n", name,
                         (unsigned long long)c.slot, (int)c.name.len, c.name.at,
                         kozo_kind_name(KOZO_VERIFY_KIND(c.what)), rights_of(rights, c.what),
                         KOZO_VERIFY_USER(c.what), (unsigned long long)c.badge))
            return 1;
    }
    return err == KOZO_ERR_NOT_FOUND ? 0 : shell_fail_err(kozo_str(name), err);
}

uint32_t command_caps(const struct words *w, uint32_t)
{
    struct system_service_rep s;
    bool all = w->count == 1, found = all;
    enum kozo_err err = KOZO_OK;
    uint32_t status = 0;
    char name[32];

    if (!shell_print("%-12s %4s %-14s %-12s %-5s %-2s %s\n", "SERVICE", "SLOT", "NAME", "KIND",
                     "MAY", "UR", "BADGE"))
        return 1;
    for (uint64_t i = 0; status == 0 && (err = service(i, &s)) == KOZO_OK; i++) {
        if (!all && !text_equal(s.name, w->word[1]))
            continue;
        found = true;
        kozo_str_copy(name, sizeof name, s.name);
        status = list_caps(i, name);
    }
    if (err != KOZO_OK && err != KOZO_ERR_NOT_FOUND)
        return shell_fail_err(w->word[0], err);
    return found ? status : shell_fail(w->word[1], "no such service; `ps` lists them");
}

/* ---- mem ---- */

static const struct {
    enum kozo_stat which;
    const char *name, *text;
    uint64_t unit;
} rows[] = {
    { KOZO_STAT_BYTES_FREE, "memory_free", "KiB of memory free", 1024 },
    { KOZO_STAT_CAPS, "capabilities", "capabilities in use", 1 },
    { KOZO_STAT_THREADS_FREE, "threads_free", "threads free", 1 },
    { KOZO_STAT_IDLE_NS, "idle_ns", "ms idle", KOZO_MS },
};

uint32_t command_mem(const struct words *w, uint32_t)
{
    char text[256];
    struct json j = json_begin(text, sizeof text);
    bool as_json = w->count > 1;

    if (as_json && !kozo_str_is(w->word[1], "--json"))
        return shell_fail(w->word[0], "usage: mem [--json]");
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct system_stat_rep rep;
        enum kozo_err err = system_call_stat(
            system_cap(), &message, &(struct system_stat_req){ .which = rows[i].which }, &rep);

        if (err != KOZO_OK)
            return shell_fail_err(w->word[0], err);
        json_number(&j, rows[i].name, rep.value);
        if (!as_json && !shell_print("%10llu %s\n", (unsigned long long)(rep.value / rows[i].unit),
                                     rows[i].text))
            return 1;
    }
    return !as_json || shell_print_str(json_end(&j, "\n")) ? 0 : 1;
}

/* ---- log ---- */

uint32_t command_log(const struct words *w, uint32_t)
{
    struct system_kernel_rep rep = {};
    enum kozo_err err;

    for (uint64_t at = 0;; at = rep.next) {
        err = system_call_kernel(system_cap(), &message,
                                 &(struct system_kernel_req){ .position = at }, &rep);
        if (err != KOZO_OK)
            return shell_fail_err(w->word[0], err);
        if (rep.text.len == 0)
            return 0;
        if (rep.lost > 0 &&
            !shell_print("(%llu bytes before this are gone)\n", (unsigned long long)rep.lost))
            return 1;
        if (!shell_write(rep.text.at, rep.text.len))
            return 1;
    }
}

/* ---- the end ---- */

static uint32_t end_system(const struct words *w, uint64_t how, uint64_t status)
{
    struct system_end_rep rep;

    return shell_fail_err(w->word[0],
                          system_call_end(system_cap(), &message,
                                          &(struct system_end_req){ .how = how, .status = status },
                                          &rep));
}

uint32_t command_poweroff(const struct words *w, uint32_t status)
{
    uint64_t number = status;

    if (w->count > 1 &&
        (!kozo_parse_u64(w->word[1].at, w->word[1].len, &number) || number > COMMAND_STATUS_MAX))
        return shell_fail(w->word[1], "a status is a number from 0 to 63");
    return end_system(w, KOZO_SYSTEM_POWER_OFF, number);
}

uint32_t command_reboot(const struct words *w, uint32_t)
{
    return end_system(w, KOZO_SYSTEM_RESET, 0);
}

/* ---- the lives of others ---- */

/* The right to end services: policy grants it, or does not, to whom it asks. */
static bool ask_for_kill(struct kozo_str what, const char *why, struct kozo_grant *grant)
{
    char text[400];
    enum kozo_err err = kozo_request("process:kill", KOZO_SYSTEM_KILL, why, grant);

    if (err == KOZO_OK)
        return true;
    if (err == KOZO_ERR_DENIED)
        kozo_snprintf(text, sizeof text, "denied: %s%s%s", grant->reason,
                      grant->hint[0] != '\0' ? "; " : "", grant->hint);
    else
        kozo_snprintf(text, sizeof text, "policy: %s", kozo_err_text(err));
    (void)shell_fail(what, text);
    return false;
}

uint32_t command_kill(const struct words *w, uint32_t)
{
    struct system_kill_rep rep;
    struct kozo_grant grant;
    char why[64];
    uint64_t job;
    enum kozo_err err;

    if (kozo_parse_u64(w->word[1].at, w->word[1].len, &job))
        return run_kill_job((uint32_t)job)
                   ? 0
                   : shell_fail(w->word[1], "no such job; `jobs` lists them");
    kozo_snprintf(why, sizeof why, "kill %.*s", (int)w->word[1].len, w->word[1].at);
    if (!ask_for_kill(w->word[1], why, &grant))
        return 1;
    kozo_msg_init(&message);
    err = system_call_kill(grant.cap, &message, &(struct system_kill_req){ .name = w->word[1] },
                           &rep);
    (void)kozo_release(&grant);
    return err == KOZO_OK ? 0 : shell_fail_err(w->word[1], err);
}

uint32_t command_restart(const struct words *w, uint32_t)
{
    struct system_restart_rep rep;
    struct kozo_grant grant;
    char why[64];
    enum kozo_err err;

    kozo_snprintf(why, sizeof why, "restart %.*s", (int)w->word[1].len, w->word[1].at);
    if (!ask_for_kill(w->word[1], why, &grant))
        return 1;
    kozo_msg_init(&message);
    err = system_call_restart(grant.cap, &message,
                              &(struct system_restart_req){ .name = w->word[1] }, &rep);
    (void)kozo_release(&grant);
    return err == KOZO_OK ? 0 : shell_fail_err(w->word[1], err);
}
