/* SPDX-License-Identifier: MIT */
#include "op.h"

#include <kozo/abi.h>
#include <stdlib.h>
#include <string.h>

static const char *const calls[] = {
#define KOZO_SYSCALL(nr, NAME, name, args, results, text) [nr] = #NAME,
#include <kozo/syscalls.def>
#undef KOZO_SYSCALL
};
static const char *const errors[] = {
#define KOZO_ERROR(nr, NAME, text) [nr] = #NAME,
#include <kozo/errors.def>
#undef KOZO_ERROR
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
    const char *name;
    uint32_t args;
} words[OP_COUNT] = {
    [OP_CALL] = { "call", OP_ARGS }, [OP_FAULT] = { "fault", 3 }, [OP_IRQ] = { "irq", 1 },
    [OP_ADVANCE] = { "advance", 1 }, [OP_TOUCH] = { "touch", 2 }, [OP_WINDOW] = { "window", 2 },
    [OP_DESC] = { "desc", 6 },       [OP_WORD] = { "word", 2 },   [OP_FPU] = { "fpu", 1 },
    [OP_NOTHING] = { "nothing", 0 },
};

const char *op_call_name(uint64_t number)
{
    static char text[24];

    if (number < COUNT(calls) && calls[number] != nullptr)
        return calls[number];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return text;
}

const char *op_error_name(uint64_t error)
{
    return error < COUNT(errors) && errors[error] != nullptr ? errors[error] : "?";
}

static void write_number(FILE *to, uint64_t v)
{
    fprintf(to, v < 4096 ? " %llu" : " %#llx", (unsigned long long)v);
}

void op_write(FILE *to, const struct op *op)
{
    uint32_t n = words[op->what].args;

    fputs(words[op->what].name, to);
    if (op->what == OP_CALL) {
        fprintf(to, " %s", op_call_name(op->number));
        while (n > 0 && op->arg[n - 1] == 0)
            n--;
    }
    for (uint32_t i = 0; i < n; i++)
        write_number(to, op->arg[i]);
    if (op->deadline != 0) {
        fputs(" at", to);
        write_number(to, op->deadline);
    }
    if (op->preempt != 0) {
        fputs(" preempt", to);
        write_number(to, op->preempt);
    }
    fputc('\n', to);
}

/* ---- reading ---- */

static bool read_number(const char *word, uint64_t *v)
{
    char *end;

    if (word == nullptr || *word < '0' || *word > '9')
        return false;
    *v = strtoull(word, &end, 0);
    return *end == '\0';
}

static bool read_call(const char *word, uint64_t *number)
{
    for (uint64_t i = 0; word != nullptr && i < COUNT(calls); i++)
        if (calls[i] != nullptr && strcmp(calls[i], word) == 0) {
            *number = i;
            return true;
        }
    return read_number(word, number);
}

static bool read_what(const char *word, enum op_what *what)
{
    for (uint8_t i = 0; i < OP_COUNT; i++)
        if (strcmp(words[i].name, word) == 0) {
            *what = (enum op_what)i;
            return true;
        }
    return false;
}

#define BLANKS " \t\r\n"

static bool read_rest(struct op *op)
{
    uint32_t n = 0;
    uint64_t preempt;

    for (char *word = strtok(nullptr, BLANKS); word != nullptr; word = strtok(nullptr, BLANKS)) {
        if (strcmp(word, "at") == 0) {
            if (!read_number(strtok(nullptr, BLANKS), &op->deadline))
                return false;
        } else if (strcmp(word, "preempt") == 0) {
            if (!read_number(strtok(nullptr, BLANKS), &preempt))
                return false;
            op->preempt = (uint32_t)preempt;
        } else if (n == words[op->what].args || !read_number(word, &op->arg[n++])) {
            return false;
        }
    }
    return true;
}

bool op_parse(const char *line, struct op *op, bool *empty)
{
    char text[512], *word;
    struct op read = {};

    snprintf(text, sizeof text, "%s", line);
    text[strcspn(text, "#")] = '\0';
    word = strtok(text, BLANKS);
    *empty = word == nullptr;
    if (*empty)
        return true;
    if (!read_what(word, &read.what))
        return false;
    if (read.what == OP_CALL && !read_call(strtok(nullptr, BLANKS), &read.number))
        return false;
    if (!read_rest(&read))
        return false;
    *op = read;
    return true;
}
