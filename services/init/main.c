/* SPDX-License-Identifier: MIT */
/*
 * init - reads etc/kozo.conf, starts what it names, watches over it, and says when all of it works.
 *
 * It calls nobody and waits for nobody but by receiving, so no service can make it hang.
 */
#include "common/cmdline.h"
#include "init/archive.h"
#include "init/carve.h"
#include "init/commands.h"
#include "init/init.h"
#include "init/output.h"
#include "init/power.h"
#include "init/start.h"
#include "init/system.h"
#include "init/watch.h"

#include <kozo/error.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/time.h>

constexpr unsigned own_bits = 19; /* memory for what init makes itself */

static struct init init;

/* ---- failing ---- */

static bool has_option(const struct init *i, const char *name)
{
    return cmdline_has(i->cmdline, name);
}

void init_fail(struct init *i, const char *step, const char *expected, const char *format, ...)
{
    va_list args;

    if (i->state == INIT_FAILED)
        return;
    i->state = INIT_FAILED;
    kozo_printf("KOZO FAILED: %s, expected %s, got ", step, expected);
    va_start(args, format);
    kozo_vprintf(format, args);
    va_end(args);
    kozo_printf("\n");
    if (!i->commanded && !has_option(i, "kozo.exit_on_fail"))
        return;
    output_finish();
    power_off(POWER_FAILED);
}

/* What it has and nobody heeds is told: more likely a slip than meant. */
static void read_cmdline(struct init *i)
{
    static char commands[KOZO_CMDLINE_BYTES];
    char words[128];

    i->cmdline = kozo_str(i->boot->cmdline);
    i->commanded = cmdline_read(i->cmdline, "kozo.run", commands, &i->commands);
    if (cmdline_unknown(i->cmdline, words, sizeof words) > 0)
        kozo_printf("[init] command line: ignored: %s (known: kozo.init= kozo.seed= kozo.run= "
                    "kozo.exit_on_fail kozo.unattended)\n",
                    words);
    if (!cmdline_is_closed(i->cmdline))
        kozo_printf("[init] command line: a double quote is not closed: the rest of the line "
                    "belongs to its word\n");
}

/* ---- READY, and after ---- */

/* Somebody asks for the commands to run them, by the protocol `system`. */
static bool has_shell(const struct init *i)
{
    for (uint32_t k = 0; k < i->manifest.services; k++)
        if ((i->service[k].state == SERVICE_RUNNING || i->service[k].state == SERVICE_WAITS) &&
            manifest_has(&i->manifest.service[k].capabilities, kozo_str("system")))
            return true;
    return false;
}

static void run_commands(const struct init *i)
{
    struct kozo_str list = i->commands, command;
    uint32_t status = 0;

    if (has_shell(i) || !i->commanded)
        return;
    while ((command = commands_cut(&list)).len > 0) {
        struct command_result r = command_run(command, status);

        if (r.error != nullptr)
            kozo_printf("[init] error: %.*s: %s\n", (int)command.len, command.at, r.error);
        status = r.status;
        if (r.power_off)
            break;
    }
    output_finish();
    power_off(power_code(status));
}

static void become_ready(struct init *i)
{
    i->state = INIT_READY;
    kozo_printf("boot: %llu ms\n", (unsigned long long)(kozo_now() / KOZO_MS));
    kozo_printf("KOZO READY\n");
    run_commands(i);
}

/* ---- the loop ---- */

/* Receives until the next thing is due. `answer`: what *m holds goes to who asked. */
static enum kozo_err receive(const struct init *i, struct kozo_msg *m, bool answer)
{
    uint64_t next = watch_deadline(i);

    if (next == UINT64_MAX)
        kozo_msg_no_deadline(m);
    else
        kozo_msg_deadline(m, next);
    return answer ? kozo_reply_recv(i->port, m) : kozo_recv(i->port, m);
}

[[noreturn]] static void serve(struct init *i)
{
    struct kozo_msg m;
    bool answer = false;

    kozo_msg_init(&m);
    for (;;) {
        enum kozo_err err = receive(i, &m, answer);

        answer = err == KOZO_OK && watch_message(i, &m);
        if (err != KOZO_OK && err != KOZO_ERR_TIMEOUT)
            (void)kozo_sleep(KOZO_S);
        watch_time(i);
        if (i->state == INIT_WAITING && watch_done(i)) {
            if (answer)
                (void)kozo_reply(&m);
            answer = false;
            become_ready(i);
        }
        if (i->state != INIT_WAITING)
            system_release(i);
    }
}

/* ---- the start ---- */

static bool begin(struct init *i)
{
    struct carved own;
    enum kozo_err err;

    carve_begin(i->boot);
    own = carve(own_bits);
    if (own.err != KOZO_OK) {
        init_fail(i, "memory", "512 KiB for init", "%s, the largest piece has %llu bytes",
                  kozo_err_text(own.err), (unsigned long long)carve_largest());
        return false;
    }
    i->own = own.untyped;
    kozo_memory_source(i->own);
    i->port.c = kozo_slot_alloc();
    err = kozo_retype(i->own, KOZO_KIND_ENDPOINT, 0, kozo_own(i->port.c), 1);
    if (err != KOZO_OK)
        init_fail(i, "memory", "an endpoint for services", "%s", kozo_err_text(err));
    return err == KOZO_OK;
}

static void start_all(struct init *i)
{
    struct start_problem p = start_begin(i);

    for (uint32_t k = 0; p.err == KOZO_OK && k < i->manifest.services; k++)
        p = start_service(i, &i->service[k]);
    if (p.err != KOZO_OK)
        init_fail(i, p.step, p.expected, "%s", p.got);
}

int main(int argc, char **argv)
{
    struct init *i = &init;

    (void)argc;
    (void)argv;
    i->boot = kozo_boot_info();
    if (i->boot == nullptr)
        kozo_fatal("only the kernel can start init");
    read_cmdline(i);
    if (begin(i) && archive_open(i) && archive_read_manifest(i)) {
        demo_begin(&i->demo, &i->manifest, archive_file(i, demo_file(&i->manifest)));
        start_all(i);
    }
    i->ready_by = kozo_now() + i->manifest.ready_seconds * KOZO_S;
    i->demo_by = kozo_now() + i->manifest.demo_seconds * KOZO_S;
    serve(i);
}
