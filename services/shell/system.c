/* SPDX-License-Identifier: MIT */
/* Commands about services and the machine, by the capability `system`. */
#include "init/commands.h"
#include "shell/json.h"
#include "shell/shell.h"

#include <kozo/error.h>
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
