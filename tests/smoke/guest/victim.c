/* SPDX-License-Identifier: MIT */
/*
 * victim - a service that crashes, or gives away what it has: victim HOW [WORD...]
 *
 * It is no test program of its own: tests/smoke/test_supervise.py puts it into the manifest beside
 * the warden, which looks at what becomes of it.
 */
#include <kozo/file.h>
#include <kozo/log.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/system.h>
#include <kozo/syscall.h>
#include <kozo/time.h>
#include <kozo/worker.h>

static struct kozo_msg message;

static struct kozo_endpoint named(const char *name)
{
    kozo_msg_init(&message);
    return kozo_cap_endpoint(name);
}

static void wait_for_ready(void)
{
    struct system_wait_rep rep;

    (void)kozo_ready();
    (void)system_call_wait(named("system"), &message, &(struct system_wait_req){}, &rep);
}

/* ---- one that gives ---- */

[[noreturn]] static void give(void)
{
    struct kozo_file file = kozo_file_open(named("fs"), "etc/motd", KOZO_FILE_READ);

    (void)kozo_ready();
    kozo_msg_begin(&message, 1);
    kozo_put_cap(&message, kozo_give(kozo_cap("fs"), KOZO_RIGHTS_ALL, 0xff));
    kozo_put_cap(&message, kozo_give(file.cap.c, KOZO_RIGHTS_ALL, 0xff));
    (void)kozo_call(kozo_cap_endpoint("keep"), &message);
    (void)kozo_sleep(3600 * KOZO_S);
    kozo_exit(0);
}

/* ---- faults ---- */

[[gnu::noinline]] static uint64_t fall(volatile uint64_t *depth)
{
    volatile uint64_t here[16] = { *depth };

    return *depth == 0 ? 0 : fall(here) + here[0];
}

static void (*volatile nowhere)(void);

[[gnu::noinline]] static void inner(const char *how)
{
    if (strcmp(how, "fall") == 0)
        (void)fall((uint64_t[]){ 1 });
    if (strcmp(how, "jump") == 0)
        nowhere();
    if (strcmp(how, "constant") == 0)
        *(volatile char *)(uintptr_t)how = 'x';
    __asm__ volatile("mov $0x1234567890abcdef, %%r12; movl $1, 8" : : : "r12", "memory");
}

[[gnu::noinline]] static void outer(const char *how)
{
    inner(how);
    kozo_printf("never said\n");
}

/* ---- further threads ---- */

static void worker_crashes(void *)
{
    outer("");
}

static void worker_ends(void *) {}

/* A thread that ends is nobody's business; what becomes of one that crashes is its handler's. */
[[noreturn]] static void crash_in_thread(struct kozo_endpoint fault)
{
    static struct kozo_worker worker[2];
    struct kozo_worker_options o = { .priority = 200, .fault = fault };

    if (kozo_worker_start(&worker[0], &o, worker_ends, nullptr) != KOZO_OK)
        kozo_fatal("no first thread");
    (void)kozo_sleep(50 * KOZO_MS);
    kozo_printf("lives on after the first\n");
    if (kozo_worker_start(&worker[1], &o, worker_crashes, nullptr) != KOZO_OK)
        kozo_fatal("no second thread");
    while (kozo_thread_info(worker[1].thread).state != KOZO_THREAD_FAULTED)
        (void)kozo_sleep(20 * KOZO_MS);
    kozo_printf("lives on after the second\n");
    (void)kozo_sleep(3600 * KOZO_S);
    kozo_exit(0);
}

/* ---- one that runs commands ---- */

[[noreturn]] static void crash_with_commands(void)
{
    struct system_commands_rep rep;

    (void)system_call_commands(named("system"), &message, &(struct system_commands_req){}, &rep);
    __builtin_trap();
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";

    kozo_msg_init(&message);
    if (strcmp(how, "give") == 0)
        give();
    wait_for_ready();
    if (strcmp(how, "crash") == 0)
        outer(argc > 2 ? argv[2] : "");
    if (strcmp(how, "thread") == 0)
        crash_in_thread((struct kozo_endpoint){});
    if (strcmp(how, "thread-by-log") == 0)
        crash_in_thread(kozo_cap_endpoint("log"));
    if (strcmp(how, "crash-with-commands") == 0)
        crash_with_commands();
    return 1;
}
