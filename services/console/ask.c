/* SPDX-License-Identifier: MIT */
#include "console/ask.h"
#include "common/line.h"
#include "common/manifest.h"

#include <kozo/time.h>

constexpr char ctrl_c = 3, bell = 7, del = 127;
constexpr uint64_t hurry = 10; /* seconds from which on each is told; before, every fifth */

/* ---- drawing ---- */

static void put(struct ask *a, struct kozo_str text)
{
    a->sink(text.at, text.len);
    a->column += (uint32_t)text.len;
}

static void begin_row(struct ask *a, const char *mark)
{
    a->column = 0;
    put(a, kozo_str(mark));
}

static void end_row(struct ask *a)
{
    a->sink("\n", 1);
    a->rows++;
    a->others++;
}

static bool fits(const struct ask *a, uint64_t columns)
{
    return a->column + columns <= ASK_COLUMNS;
}

/* What goes on in a row of its own says so: no text begins a row. */
static void go_on(struct ask *a)
{
    end_row(a);
    begin_row(a, CLEAN_MARK "   | ");
}

/*
 * Text of others, such that it is read for what it is: what fits into so many rows, with room for a
 * quote behind it. Where it is cut stands what no text is quoted as.
 */
static void put_quoted(struct ask *a, struct kozo_str text, uint32_t rows)
{
    static const char cut[] = "\\...";
    char quoted[CLEAN_QUOTED], last = 0;

    while (text.len > 0) {
        struct kozo_str piece = clean_quote(&text, &last, quoted);

        if (rows == 1 && !fits(a, piece.len + sizeof cut)) {
            put(a, kozo_str(cut));
            return;
        }
        if (!fits(a, piece.len + 1)) {
            go_on(a);
            rows--;
        }
        put(a, piece);
    }
}

static void put_line(struct ask *a, const char *name, const char *text, const char *quote)
{
    begin_row(a, CLEAN_MARK "   ");
    put(a, kozo_str(name));
    put(a, kozo_str(quote));
    put_quoted(a, kozo_str(text), ASK_TEXT);
    put(a, kozo_str(quote));
    end_row(a);
}

static void put_risk(struct ask *a)
{
    char text[64];
    struct line l = line_begin(text, sizeof text);
    uint64_t s = a->lease_ms / 1000, ms = a->lease_ms % 1000;

    line_add(&l, manifest_tier_name(
                     (enum manifest_tier)(a->tier < TIER_AUTO ? a->tier : TIER_CRITICAL)));
    line_add(&l,
             a->tier >= TIER_CRITICAL ? "; a yes is good for one use, within " : "; a yes lasts ");
    line_add_number(&l, ms == 0 ? s : a->lease_ms);
    line_add(&l, ms == 0 ? " s" : " ms");
    put_line(a, "risk: ", text, "");
}

static void put_question(struct ask *a)
{
    static const char asks[] = " asks policy for \"";

    a->rows = 0;
    begin_row(a, CLEAN_MARK " ");
    put_quoted(a, kozo_str(a->who), ASK_TEXT);
    if (!fits(a, sizeof asks))
        go_on(a);
    put(a, kozo_str(asks));
    put_quoted(a, kozo_str(a->object), ASK_ROWS);
    put(a, kozo_str("\""));
    end_row(a);
    put_line(a, "rights: ", a->rights, "");
    put_line(a, "reason: ", a->reason, "\"");
    put_risk(a);
    a->others = 0;
}

static uint64_t time_left(const struct ask *a, uint64_t now)
{
    return a->until > now ? a->until - now : 0;
}

/* The seconds left; when they were told before, of many only every fifth. */
static void add_time(struct ask *a, struct line *l, uint64_t left)
{
    uint64_t s = left / KOZO_S;

    if (!a->told || left < a->least) {
        if (a->told && s > hurry)
            s -= s % 5;
        a->least = s > 0 ? s * KOZO_S : left > 0;
        a->told = true;
    }
    line_add(l, a->least == 1 ? "< " : "");
    line_add_number(l, a->least == 1 ? 1 : a->least / KOZO_S);
    line_add(l, " s");
}

/* Rows of other text that leave a question on the terminal: those above, a row of them, the last. */
static uint32_t most_others(const struct ask *a)
{
    if (a->rows + ASK_LINES <= ASK_ROWS)
        return ASK_LINES;
    return a->rows + 1 < ASK_ROWS ? ASK_ROWS - a->rows : 1;
}

static void show(struct ask *a, uint64_t now)
{
    char text[96];
    struct line l = line_begin(text, sizeof text);

    if (a->others >= most_others(a))
        put_question(a);
    line_add(&l, CLEAN_MARK " allow? y or n, then Enter (");
    add_time(a, &l, time_left(a, now));
    line_add(&l, "): ");
    line_add_str(&l, (struct kozo_str){ a->answer, a->typed });
    put(a, line_text(&l));
    a->drawn = (uint32_t)l.used;
    a->shown = true;
}

static void clear(struct ask *a)
{
    if (!a->shown)
        return;
    put(a, kozo_str("\r"));
    for (uint32_t i = 0; i < a->drawn; i++)
        put(a, kozo_str(" "));
    put(a, kozo_str("\r"));
    a->shown = false;
}

/* ---- the life of a question ---- */

void ask_begin(struct ask *a, const struct console_ask_req *q, uint64_t now)
{
    clean_sink *sink = a->sink;

    *a = (struct ask){ .sink = sink, .active = true, .quiet = now };
    a->until = q->until;
    a->tier = q->tier;
    a->lease_ms = q->lease_ms;
    kozo_str_copy(a->who, sizeof a->who, q->who);
    kozo_str_copy(a->object, sizeof a->object, q->object);
    kozo_str_copy(a->rights, sizeof a->rights, q->rights);
    kozo_str_copy(a->reason, sizeof a->reason, q->reason);
    put_question(a);
}

void ask_tell(struct ask *a, struct kozo_str text)
{
    begin_row(a, CLEAN_MARK " ");
    put_quoted(a, text, ASK_ROWS);
    end_row(a);
}

void ask_end(struct ask *a)
{
    clear(a);
    a->active = false;
}

void ask_hide(struct ask *a) { clear(a); }

/* A row may hold a column more than is counted: never fewer rows are counted than there are. */
void ask_passed(struct ask *a, const char *text, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++) {
        if (text[i] != '\n' && ((unsigned char)text[i] & 0xc0) == 0x80)
            continue; /* not the first byte of a character */
        a->passed += text[i] == '\t' ? 8 - a->passed % 8 : 1;
        if (text[i] != '\n' && a->passed < ASK_COLUMNS)
            continue;
        a->others++;
        a->passed = 0;
    }
}

void ask_tick(struct ask *a, uint64_t now)
{
    if (!a->active)
        return;
    if (!a->armed && now - a->quiet >= ASK_QUIET)
        a->armed = true;
    if (!a->armed)
        return;
    if (a->shown && time_left(a, now) < a->least)
        clear(a);
    if (!a->shown)
        show(a, now);
}

uint64_t ask_wake(const struct ask *a)
{
    if (!a->active)
        return UINT64_MAX;
    if (!a->armed)
        return a->quiet + ASK_QUIET;
    return a->least > 0 ? a->until - a->least + 1 : UINT64_MAX;
}

/* ---- keys ---- */

static bool says(const struct ask *a, const char *word)
{
    char lower[ASK_TYPED];

    for (uint32_t i = 0; i < a->typed; i++) {
        char c = a->answer[i];

        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return kozo_str_is((struct kozo_str){ lower, a->typed }, word);
}

static enum ask_result enter(struct ask *a, uint64_t now)
{
    bool yes = says(a, "y") || says(a, "yes");

    if (yes || says(a, "n") || says(a, "no") || a->typed == 0) {
        put(a, kozo_str("\n"));
        a->shown = a->active = false;
        return yes ? ASK_YES : ASK_NO;
    }
    clear(a);
    a->typed = 0;
    a->sink(&bell, 1);
    a->armed = false; /* it was meant for something else, as may be what comes with it */
    a->quiet = now;
    return ASK_GOES_ON;
}

static void type(struct ask *a, char key, uint64_t now)
{
    if ((key == '\b' || key == del) && a->typed > 0)
        a->typed--;
    else if (key > ' ' && key < del && a->typed < ASK_TYPED)
        a->answer[a->typed++] = key;
    else
        a->sink(&bell, 1);
    clear(a);
    show(a, now);
}

enum ask_result ask_key(struct ask *a, char key, uint64_t now)
{
    if (!a->armed) {
        a->quiet = now;
        return ASK_GOES_ON;
    }
    if (key == ctrl_c) {
        put(a, kozo_str("^C\n"));
        a->shown = a->active = false;
        return ASK_NO;
    }
    if (key == '\r' || key == '\n')
        return enter(a, now);
    type(a, key, now);
    return ASK_GOES_ON;
}
