/* SPDX-License-Identifier: MIT */
/*
 * main.c - the model's driver: random operations from a seed, in worlds that begin afresh now and
 * then.
 *
 * Status 0: kernel and model agreed. 1: they did not; the shortest script that shows it is written.
 * 2: wrong use.
 */
#define _DEFAULT_SOURCE
#include "exhaust.h"
#include "generate.h"
#include "lockstep.h"
#include "script.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HANG_SECONDS 60u

static const char usage[] =
    "usage: model [--seed N] [--ops N] [--world N] [--save FILE] [--quiet]\n"
    "       model --replay FILE\n"
    "       model --input FILE [--save FILE]\n"
    "       model --exhaust DEPTH\n"
    "Drive the kernel and the reference model with random operations and compare them after each "
    "event.\n"
    "  --seed N      where chance begins (1)\n"
    "  --ops N       operations in all (100000)\n"
    "  --world N     operations at most before a world begins afresh (600)\n"
    "  --save FILE   where the script of a failure goes (model-failure.txt)\n"
    "  --replay FILE do what a script says, and tell\n"
    "  --input FILE  take choices from bytes, as the fuzz target `syscalls` does\n"
    "  --exhaust N   all sequences of N capability operations in a small world\n"
    "  --quiet       tell nothing but failures\n";

static struct {
    uint64_t seed, ops, world;
    const char *program, *save, *replay, *input;
    uint64_t exhaust;
    bool quiet;
} options = { .seed = 1, .ops = 100'000, .world = 600, .save = "model-failure.txt" };

/* What the worker did, to be seen when it has died. */
static struct shared {
    struct script script; /* of the world it is in */
    struct lockstep_stats stats;
    uint64_t hash, worlds;
} *shared;

/* ---- the worker ---- */

static void one_world(void *with)
{
    struct dice *d = with;
    struct op op;

    lockstep_boot();
    generate_begin(d);
    while (shared->script.n < options.world && generate_next(d, &op)) {
        shared->script.op[shared->script.n++] = op;
        lockstep_do(&op);
    }
    lockstep_end();
}

static void work(void)
{
    struct dice d = dice_from_seed(options.seed);

    while (lockstep_stats.ops < options.ops) {
        shared->script.n = 0;
        alarm(HANG_SECONDS);
        lockstep_run(one_world, &d);
        shared->worlds++;
        shared->stats = lockstep_stats;
        shared->hash = lockstep_hash;
    }
    alarm(0);
}

static void leave(void) { _exit(1); }

/* True when the worker came to its end. */
static bool run_worker(void)
{
    int status = 0;
    pid_t child;

    fflush(nullptr);
    child = fork();
    if (child == 0) {
        lockstep_failed = leave;
        work();
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        fprintf(stderr, "model: killed by signal %d\n", WTERMSIG(status));
    return status == 0;
}

/* ---- telling ---- */

static void tell_calls(void)
{
    const struct lockstep_stats *s = &shared->stats;

    for (uint64_t i = 0; i <= KOZO_SYSCALL_LIMIT; i++)
        if (s->calls[i] + s->refused[i] > 0)
            printf("  %-18s %9llu done %9llu refused\n", op_call_name(i),
                   (unsigned long long)s->calls[i], (unsigned long long)s->refused[i]);
    for (uint64_t i = 0; i < 64; i++)
        if (s->errors[i] > 0)
            printf("  %-18s %9llu\n", op_error_name(i), (unsigned long long)s->errors[i]);
}

static void tell_all(double seconds)
{
    const struct lockstep_stats *s = &shared->stats;

    if (!options.quiet)
        tell_calls();
    printf("seed %llu: %llu operations in %llu worlds, %llu events, %llu preempted, %llu ticks, "
           "%llu idle; trace %016llx; "
           "%.1f s\n",
           (unsigned long long)options.seed, (unsigned long long)s->ops,
           (unsigned long long)shared->worlds, (unsigned long long)s->events,
           (unsigned long long)s->preempted, (unsigned long long)s->ticks,
           (unsigned long long)s->idle, (unsigned long long)shared->hash, seconds);
}

/* Make it short, say how to see it again. */
static int report(void)
{
    struct script *s = &shared->script;
    char remark[128];

    if (!script_fails(s)) {
        fprintf(stderr,
                "model: the failure does not come again by itself; all of its world is in %s\n",
                options.save);
        script_write(s, options.save, "does not fail by itself");
        return 1;
    }
    fprintf(stderr, "model: %u operations fail; making them fewer\n", s->n);
    script_shrink(s);
    snprintf(remark, sizeof remark, "model --seed %llu --ops %llu, made shorter",
             (unsigned long long)options.seed, (unsigned long long)options.ops);
    script_write(s, options.save, remark);
    for (uint32_t i = 0; i < s->n; i++)
        op_write(stderr, &s->op[i]);
    fprintf(stderr, "model: %u operations; again with: %s --replay %s\n", s->n, options.program,
            options.save);
    return 1;
}

/* ---- the ways to run ---- */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int random_run(void)
{
    double start = now();

    if (!run_worker())
        return report();
    tell_all(now() - start);
    return 0;
}

static int replay(void)
{
    if (!script_read(&shared->script, options.replay))
        return 2;
    lockstep_failed = leave;
    script_run(&shared->script, !options.quiet);
    printf("%s: %u operations, no difference; trace %016llx\n", options.replay, shared->script.n,
           (unsigned long long)lockstep_hash);
    return 0;
}

static int from_input(void)
{
    static uint8_t byte[1u << 20];
    FILE *from = fopen(options.input, "rb");
    struct dice d;
    int status = 0;
    pid_t child;

    if (from == nullptr) {
        perror(options.input);
        return 2;
    }
    d = dice_from_bytes(byte, fread(byte, 1, sizeof byte, from));
    fclose(from);
    options.world = SCRIPT_OPS_MOST;
    child = fork();
    if (child == 0) {
        lockstep_failed = leave;
        lockstep_run(one_world, &d);
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (status != 0)
        return report();
    printf("%s: %u operations, no difference\n", options.input, shared->script.n);
    return 0;
}

static int exhaust(void)
{
    double start = now();
    int status = 0;
    pid_t child;

    fflush(nullptr);
    child = fork();
    if (child == 0) {
        struct exhaust_result r;

        lockstep_failed = leave;
        r = exhaust_run((uint32_t)options.exhaust, &shared->script);
        printf("%llu operations deep: %llu states, %llu transitions compared, for %.4g sequences; "
               "%.1f s\n",
               (unsigned long long)options.exhaust, (unsigned long long)r.states,
               (unsigned long long)r.transitions, r.sequences, now() - start);
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return status == 0 ? 0 : report();
}

static bool parse(int count, char **word)
{
    const struct {
        const char *name;
        uint64_t *number;
        const char **text;
    } known[] = {
        { "--seed", &options.seed, nullptr },   { "--ops", &options.ops, nullptr },
        { "--world", &options.world, nullptr }, { "--exhaust", &options.exhaust, nullptr },
        { "--save", nullptr, &options.save },   { "--replay", nullptr, &options.replay },
        { "--input", nullptr, &options.input },
    };

    for (int i = 1; i < count; i++) {
        uint32_t k = 0;

        if (strcmp(word[i], "--quiet") == 0) {
            options.quiet = true;
            continue;
        }
        while (k < sizeof known / sizeof known[0] && strcmp(known[k].name, word[i]) != 0)
            k++;
        if (k == sizeof known / sizeof known[0] || i + 1 == count)
            return false;
        i++;
        if (known[k].number != nullptr)
            *known[k].number = strtoull(word[i], nullptr, 0);
        else
            *known[k].text = word[i];
    }
    return options.world <= SCRIPT_OPS_MOST;
}

int main(int count, char **word)
{
    options.program = word[0];
    if (count == 2 && strcmp(word[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (!parse(count, word)) {
        fputs(usage, stderr);
        return 2;
    }
    shared =
        mmap(nullptr, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    if (options.replay != nullptr)
        return replay();
    if (options.input != nullptr)
        return from_input();
    if (options.exhaust != 0)
        return exhaust();
    return random_run();
}
