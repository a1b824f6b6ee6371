/* SPDX-License-Identifier: MIT */
#include "console/edit.h"
#include "common/line.h"

#include <kozo/string.h>

enum escape : uint8_t { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_BRACKET };

constexpr char ctrl_a = 1, ctrl_b = 2, ctrl_c = 3, ctrl_d = 4, ctrl_e = 5, ctrl_f = 6, bell = 7;
constexpr char ctrl_k = 11, ctrl_l = 12, ctrl_n = 14, ctrl_p = 16, ctrl_u = 21, ctrl_w = 23;
constexpr char escape = 27, del = 127;

/* ---- drawing ---- */

static void put(struct edit *e, const char *text, uint64_t len) { e->sink(text, len); }

static void put_many(struct edit *e, char c, uint32_t count)
{
    while (count-- > 0)
        put(e, &c, 1);
}

/* Characters of the line, the one at `view` behind the prompt: never the mark of a question. */
static void put_text(struct edit *e, uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++) {
        char before = i > e->view         ? e->text[i - 1]
                      : e->prompt_len > 0 ? e->prompt[e->prompt_len - 1]
                                          : '\0';

        put(e, before == '[' && e->text[i] == '?' ? "." : &e->text[i], 1);
    }
}

static uint32_t room(const struct edit *e) { return EDIT_COLUMNS - e->prompt_len; }

void edit_hide(struct edit *e)
{
    if (!e->shown)
        return;
    put(e, "\r", 1);
    put_many(e, ' ', e->drawn);
    put(e, "\r", 1);
    e->shown = false;
}

void edit_show(struct edit *e)
{
    uint32_t visible;

    if (e->shown)
        return;
    if (e->cursor < e->view)
        e->view = e->cursor;
    if (e->cursor - e->view >= room(e))
        e->view = e->cursor - room(e) + 1;
    visible = e->len - e->view < room(e) ? e->len - e->view : room(e);
    put(e, e->prompt, e->prompt_len);
    put_text(e, e->view, visible);
    put_many(e, '\b', visible - (e->cursor - e->view));
    e->drawn = e->prompt_len + visible;
    e->shown = true;
}

static void redraw(struct edit *e)
{
    edit_hide(e);
    edit_show(e);
}

/* ---- changing ---- */

static void lose(struct edit *e)
{
    e->lost++;
    e->told = false;
    put(e, &bell, 1);
}

void edit_lose(struct edit *e, char key)
{
    bool ends = key == '\r' || key == '\n' || key == ctrl_c;

    lose(e);
    e->asked = true;
    if (ends && e->len == 0)
        e->lost = 0;
}

void edit_pause(struct edit *e)
{
    if (e->len == 0)
        e->lost = 0;
}

static void insert(struct edit *e, char c)
{
    if (e->len == EDIT_LINE) {
        lose(e);
        return;
    }
    memmove(&e->text[e->cursor + 1], &e->text[e->cursor], e->len - e->cursor);
    e->text[e->cursor++] = c;
    e->len++;
    if (e->cursor == e->len && e->len - e->view < room(e)) {
        put_text(e, e->cursor - 1, 1);
        e->drawn++;
        return;
    }
    redraw(e);
}

/* Takes [from, to) out; the cursor is then at `from`. */
static void cut(struct edit *e, uint32_t from, uint32_t to)
{
    if (from == to)
        return;
    memmove(&e->text[from], &e->text[to], e->len - to);
    e->len -= to - from;
    e->cursor = from;
    if (e->len == 0)
        e->lost = 0;
    redraw(e);
}

static void move_to(struct edit *e, uint32_t cursor)
{
    if (cursor == e->cursor)
        return;
    e->cursor = cursor;
    redraw(e);
}

static uint32_t word_begin(const struct edit *e)
{
    uint32_t at = e->cursor;

    while (at > 0 && e->text[at - 1] == ' ')
        at--;
    while (at > 0 && e->text[at - 1] != ' ')
        at--;
    return at;
}

/* ---- history ---- */

static uint32_t place(const struct edit *e, uint32_t back)
{
    return (e->kept - back) % EDIT_HISTORY;
}

/* Blank lines, and the same line again, are not kept. */
static void keep(struct edit *e)
{
    uint32_t last = place(e, 1);

    if (text_trim(edit_text(e)).len == 0)
        return;
    if (e->kept > 0 &&
        text_equal((struct kozo_str){ e->past[last], e->past_len[last] }, edit_text(e)))
        return;
    last = e->kept++ % EDIT_HISTORY;
    memcpy(e->past[last], e->text, e->len);
    e->past_len[last] = e->len;
}

static void go_back(struct edit *e, uint32_t back)
{
    uint32_t most = e->kept < EDIT_HISTORY ? e->kept : EDIT_HISTORY;

    if (back > most)
        return;
    if (e->back == 0) {
        e->new_len = e->len;
        e->new_lost = e->lost;
        memcpy(e->new, e->text, e->len);
    }
    e->back = back;
    e->lost = back > 0 ? 0 : e->new_lost;
    e->len = back > 0 ? e->past_len[place(e, back)] : e->new_len;
    memcpy(e->text, back > 0 ? e->past[place(e, back)] : e->new, e->len);
    e->cursor = e->len;
    e->view = 0;
    redraw(e);
}

/* ---- keys ---- */

static void end_line(struct edit *e, const char *mark)
{
    put(e, mark, strlen(mark));
    put(e, "\n", 1);
    e->shown = false;
}

static enum edit_result key_of_sequence(struct edit *e, char key)
{
    uint32_t right = e->cursor < e->len ? e->cursor + 1 : e->len;

    if (key == 'A')
        go_back(e, e->back + 1);
    else if (key == 'B' && e->back > 0)
        go_back(e, e->back - 1);
    else if (key == 'C')
        move_to(e, right);
    else if (key == 'D' && e->cursor > 0)
        move_to(e, e->cursor - 1);
    else if (key == 'H' || (key == '~' && (e->number == '1' || e->number == '7')))
        move_to(e, 0);
    else if (key == 'F' || (key == '~' && (e->number == '4' || e->number == '8')))
        move_to(e, e->len);
    else if (key == '~' && e->number == '3')
        cut(e, e->cursor, right);
    return EDIT_GOES_ON;
}

static enum edit_result in_sequence(struct edit *e, char key)
{
    if (e->escape == ESCAPE_BEGUN) {
        e->escape = key == '[' || key == 'O' ? ESCAPE_BRACKET : ESCAPE_NONE;
        e->number = 0;
        return EDIT_GOES_ON;
    }
    if ((key >= '0' && key <= '9') || key == ';') {
        e->number = key;
        return EDIT_GOES_ON;
    }
    e->escape = ESCAPE_NONE;
    return key_of_sequence(e, key);
}

/* A command of which a part is missing is another command. */
static void refuse(struct edit *e)
{
    char text[128];
    struct line l = line_begin(text, sizeof text);

    line_add(&l, "[console] refused: ");
    line_add(&l, e->asked ? "typed at a question, or not taken: "
                          : "over 255 characters, or not ASCII: ");
    line_add_number(&l, e->lost);
    line_add(&l, ". Change it, or Ctrl-C");
    end_line(e, "");
    end_line(e, text);
    e->told = true;
    edit_show(e);
}
static_assert(EDIT_LINE == 255);

static enum edit_result enter(struct edit *e)
{
    move_to(e, e->len);
    if (e->lost > 0) {
        refuse(e);
        return EDIT_GOES_ON;
    }
    end_line(e, "");
    keep(e);
    return EDIT_ENTERED;
}

static enum edit_result control_d(struct edit *e)
{
    if (e->len > 0) {
        cut(e, e->cursor, e->cursor < e->len ? e->cursor + 1 : e->len);
        return EDIT_GOES_ON;
    }
    end_line(e, "");
    return EDIT_ENDED;
}

/* The keys that change the line; what is none of them is ignored. */
static void change(struct edit *e, char key)
{
    if (key == '\b' || key == del)
        cut(e, e->cursor > 0 ? e->cursor - 1 : 0, e->cursor);
    else if (key == ctrl_a)
        move_to(e, 0);
    else if (key == ctrl_e)
        move_to(e, e->len);
    else if (key == ctrl_b || key == ctrl_f)
        (void)key_of_sequence(e, key == ctrl_b ? 'D' : 'C');
    else if (key == ctrl_p || key == ctrl_n)
        (void)key_of_sequence(e, key == ctrl_p ? 'A' : 'B');
    else if (key == ctrl_k)
        cut(e, e->cursor, e->len);
    else if (key == ctrl_u)
        cut(e, 0, e->cursor);
    else if (key == ctrl_w)
        cut(e, word_begin(e), e->cursor);
    else if (key == ctrl_l)
        redraw(e);
    else if (key >= ' ' && key < del)
        insert(e, key);
    else if ((uint8_t)key >= 0xc0 || ((uint8_t)key >= 0x80 && e->lost == 0))
        lose(e); /* a letter that is not ASCII, whose first byte this is; or a byte that is none */
}

/* Once told, the person takes the line for what it is by a key that is no text. */
static void accept(struct edit *e, char key)
{
    bool text = (key >= ' ' && key < del) || (uint8_t)key >= 0x80;

    if (e->told && !text)
        e->lost = 0;
}

/* Whoever completes a line gets all of it, or not at all. */
static enum edit_result tab(struct edit *e)
{
    if (!e->tabs || e->lost > 0) {
        put(e, &bell, 1);
        return EDIT_GOES_ON;
    }
    edit_hide(e);
    return EDIT_TAB;
}

enum edit_result edit_key(struct edit *e, char key)
{
    if (key == ctrl_c) {
        end_line(e, "^C");
        return EDIT_STOPPED;
    }
    if (e->escape != ESCAPE_NONE && (uint8_t)key >= ' ')
        return in_sequence(e, key);
    e->escape = ESCAPE_NONE; /* a control character ends what is none */
    if (key == '\r' || key == '\n')
        return enter(e);
    if (key == '\t')
        return tab(e);
    accept(e, key);
    if (key == ctrl_d)
        return control_d(e);
    if (key == escape)
        e->escape = ESCAPE_BEGUN;
    else
        change(e, key);
    return EDIT_GOES_ON;
}

void edit_clear(struct edit *e) { e->len = e->cursor = e->view = e->lost = 0; }

void edit_prepare(struct edit *e, struct kozo_str text, uint64_t cursor)
{
    e->len = 0;
    for (uint64_t i = 0; i < text.len && e->len < EDIT_LINE; i++)
        if (text.at[i] >= ' ' && text.at[i] < del)
            e->text[e->len++] = text.at[i];
    e->cursor = cursor < e->len ? (uint32_t)cursor : e->len;
    e->prepared = true;
}

void edit_begin(struct edit *e, struct kozo_str prompt)
{
    e->prompt_len = prompt.len < EDIT_PROMPT ? (uint32_t)prompt.len : EDIT_PROMPT;
    memcpy(e->prompt, prompt.at, e->prompt_len);
    e->view = e->back = 0;
    if (!e->prepared)
        e->len = e->cursor = 0;
    e->tabs = e->prepared;
    e->prepared = false;
    e->escape = ESCAPE_NONE;
    e->lost = 0;
    e->told = e->asked = e->shown = false;
    edit_show(e);
}
