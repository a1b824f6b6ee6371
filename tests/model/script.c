/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "script.h"

#include "lockstep.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 20u
#define FAILED 3

/* ---- running ---- */

static void tell(const struct op *op, const struct m_thread *t, uint64_t serial)
{
    printf("%8llu: ", (unsigned long long)serial);
    fflush(stdout);
    op_write(stdout, op);
    if (op->what == OP_CALL && t != nullptr && t->serial == serial && t->state == KOZO_THREAD_READY)
        printf("          -> %s %#llx %#llx %#llx\n", op_error_name(t->regs.rax),
               (unsigned long long)t->regs.reg[0], (unsigned long long)t->regs.reg[1],
               (unsigned long long)t->regs.reg[2]);
    fflush(stdout);
}

struct run {
    const struct script *script;
    bool loud;
};

static void run_all(void *with)
{
    const struct run *r = with;

    lockstep_boot();
    for (uint32_t i = 0; i < r->script->n; i++) {
        struct m_thread *t = m->current;
        uint64_t serial = t != nullptr ? t->serial : 0;

        if (r->loud)
            tell(&r->script->op[i], nullptr, serial);
        lockstep_do(&r->script->op[i]);
        if (r->loud && t != nullptr)
            printf("          -> %s, state %u\n", op_error_name(t->regs.rax), t->state);
    }
    lockstep_end();
}

void script_run(const struct script *s, bool loud)
{
    struct run r = { s, loud };

    lockstep_run(run_all, &r);
}

static void leave(void) { _exit(FAILED); }

bool script_fails(const struct script *s)
{
    int status;
    pid_t child;

    fflush(nullptr);
    child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);

        dup2(nowhere, STDERR_FILENO);
        dup2(nowhere, STDOUT_FILENO);
        alarm(SECONDS);
        lockstep_failed = leave;
        script_run(s, false);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status != 0;
}

/* ---- shrinking ---- */

static struct script attempt;

/* Does it still fail without [at, at + n)? Then it is gone. */
static bool drop(struct script *s, uint32_t at, uint32_t n)
{
    attempt.n = s->n - n;
    memcpy(attempt.op, s->op, at * sizeof s->op[0]);
    memcpy(attempt.op + at, s->op + at + n, (s->n - at - n) * sizeof s->op[0]);
    if (!script_fails(&attempt))
        return false;
    s->n = attempt.n;
    memcpy(s->op, attempt.op, attempt.n * sizeof s->op[0]);
    return true;
}

/* Pieces from the end, then smaller ones: what comes late matters most, and goes first. */
static bool drop_pieces(struct script *s)
{
    bool any = false;

    for (uint32_t n = s->n / 2 > 0 ? s->n / 2 : 1; n > 0; n /= 2)
        for (uint32_t at = s->n; at >= n && at > 0;) {
            at -= n;
            if (at + n <= s->n && drop(s, at, n))
                any = true;
            if (at > s->n)
                at = s->n;
        }
    return any;
}

static void try_number(struct script *s, uint64_t *v)
{
    const uint64_t old = *v, simpler[] = { 0, 1, old / 2, old - 1 };

    for (uint32_t i = 0; i < sizeof simpler / sizeof simpler[0] && old > 1; i++) {
        *v = simpler[i];
        if (simpler[i] < old && script_fails(s))
            return;
    }
    *v = old;
    if (old == 1) {
        *v = 0;
        if (!script_fails(s))
            *v = 1;
    }
}

static void simplify(struct script *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        uint64_t preempt = s->op[i].preempt;

        for (uint32_t a = 0; a < OP_ARGS; a++)
            try_number(s, &s->op[i].arg[a]);
        try_number(s, &s->op[i].deadline);
        s->op[i].preempt = 0;
        if (preempt != 0 && !script_fails(s))
            s->op[i].preempt = (uint32_t)preempt;
    }
}

void script_shrink(struct script *s)
{
    while (drop_pieces(s)) {
    }
    simplify(s);
    while (drop_pieces(s)) {
    }
}

/* ---- files ---- */

bool script_read(struct script *s, const char *file)
{
    char line[1024];
    FILE *from = fopen(file, "r");

    s->n = 0;
    if (from == nullptr) {
        perror(file);
        return false;
    }
    for (uint32_t number = 1; fgets(line, sizeof line, from) != nullptr; number++) {
        bool empty;

        if (s->n == SCRIPT_OPS_MOST || !op_parse(line, &s->op[s->n], &empty)) {
            fprintf(stderr, "%s:%u: not an operation: %s", file, number, line);
            fclose(from);
            return false;
        }
        s->n += !empty;
    }
    fclose(from);
    return true;
}

void script_write(const struct script *s, const char *file, const char *remark)
{
    FILE *to = fopen(file, "w");

    if (to == nullptr) {
        perror(file);
        return;
    }
    fprintf(to, "# %s\n", remark);
    for (uint32_t i = 0; i < s->n; i++)
        op_write(to, &s->op[i]);
    fclose(to);
}
