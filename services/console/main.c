/* SPDX-License-Identifier: MIT */
/*
 * console - the serial port's driver: one terminal for whoever may read and write it.
 *
 * Lines of init and of services come by a ring in memory that init lends, the kernel's own by init's
 * protocol `system`; both are shown above the line that is being typed. It serves one reader, and puts
 * one question to the person, which nobody's text can tear or look like.
 */
#include "common/denial.h"
#include "common/identity.h"
#include "common/line.h"
#include "common/wire.h"
#include "console/ahead.h"
#include "console/ask.h"
#include "console/edit.h"
#include "console/serial.h"

#include <kozo/console.h>
#include <kozo/error.h>
#include <kozo/log.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/syscall.h>
#include <kozo/system.h>
#include <kozo/time.h>

constexpr uint64_t kernel_every = 250 * KOZO_MS; /* how often the kernel's log is looked at */
constexpr uint64_t from_log = UINT64_MAX, from_kernel = UINT64_MAX - 1, from_keys = UINT64_MAX - 2;
constexpr char ctrl_c = 3;
constexpr uint32_t messages_between = 16; /* two looks at what comes without a message */

struct console_server {
    struct kozo_irq irq;
    struct kozo_endpoint system; /* { 0 }: the kernel's lines are not shown */
    struct kozo_ring lines;
    struct edit edit;
    struct ask ask;
    struct clean clean;
    kozo_cptr reader;   /* the right to answer who reads ... */
    kozo_cptr asker;    /* ... and who asks */
    bool reads;         /* somebody does */
    bool saves;         /* the message under way is not to be answered now */
    bool stopped;       /* Ctrl-C came while nobody read */
    bool open_line;     /* what is above the prompt has no line end yet ... */
    uint64_t open_by;   /* ... and comes from here: a badge, or from_log ... */
    struct ahead ahead; /* typed before anybody read */
    uint64_t kernel_at, kernel_next;
    struct manifest manifest; /* for the names of clients; empty without it */
    struct denials denials;
};

static struct console_server console;

/* ---- text above the prompt ---- */

/* Text of others; it pushes the question up. */
static void put(const char *text, uint64_t len)
{
    ask_passed(&console.ask, text, len);
    serial_write(text, len);
}

static void end_open_line(struct console_server *c)
{
    if (c->open_line)
        put("\n", 1);
    c->open_line = false;
}

/* Nobody goes on with the line of somebody else. */
static void show(struct console_server *c, uint64_t from, struct kozo_str text)
{
    if (text.len == 0)
        return;
    if (c->reads)
        edit_hide(&c->edit);
    ask_hide(&c->ask);
    if (c->open_by != from)
        end_open_line(c);
    clean_text(&c->clean, text, put);
    c->open_line = text.at[text.len - 1] != '\n';
    c->open_by = from;
}

/* The question, or else the prompt, again: below what was shown. */
static void show_prompt(struct console_server *c)
{
    if (c->ask.active) {
        end_open_line(c);
        ask_tick(&c->ask, kozo_now());
        return;
    }
    if (!c->reads || c->edit.shown)
        return;
    end_open_line(c);
    edit_show(&c->edit);
}

static void say_lost(struct console_server *c, const char *whose, uint64_t lost)
{
    char text[96];
    struct line l = line_begin(text, sizeof text);

    if (lost == 0)
        return;
    line_add(&l, "[console] lost ");
    line_add_number(&l, lost);
    line_add(&l, whose);
    show(c, from_kernel, line_text(&l));
}

/* What an earlier life had of keys and lines ended with it: nobody types on without a word. */
static void say_restarted(struct console_server *c)
{
    struct kozo_verified own = kozo_cap_verify(kozo_own(kozo_cap("log")), kozo_own(0));

    if (own.err == KOZO_OK && identity_life(own.badge) > 1)
        show(c, from_keys,
             kozo_str("[console] restarted: what was typed and not entered yet is lost\n"));
}

/* An entry is dropped when it is on the terminal: init waits for that before it ends the machine. */
static void show_lines(struct console_server *c)
{
    const struct wire_entry *e;

    while ((e = kozo_ring_front(&c->lines)) != nullptr) {
        say_lost(c, " bytes of the log\n", e->lost);
        show(c, from_log, (struct kozo_str){ e->text, e->len < WIRE_TEXT ? e->len : WIRE_TEXT });
        kozo_ring_drop(&c->lines);
    }
}

static enum kozo_err read_kernel(struct console_server *c, struct kozo_msg *m,
                                 struct system_kernel_rep *rep)
{
    kozo_msg_init(m);
    return system_call_kernel(c->system, m, &(struct system_kernel_req){ .position = c->kernel_at },
                              rep);
}

static void show_kernel(struct console_server *c)
{
    struct system_kernel_rep rep = {};
    struct kozo_msg m;

    while (c->system.c != 0 && read_kernel(c, &m, &rep) == KOZO_OK) {
        c->kernel_at = rep.next;
        say_lost(c, " bytes of the kernel's log\n", rep.lost);
        show(c, from_kernel, (struct kozo_str){ rep.text.at, rep.text.len });
        if (rep.text.len == 0)
            break;
    }
    c->kernel_next = kozo_now() + kernel_every;
}

/* ---- the reader ---- */

static void answer_reader(struct console_server *c, enum kozo_err err,
                          const struct console_read_rep *rep)
{
    struct kozo_msg m;

    kozo_msg_init(&m);
    if (c->edit.tabs)
        (void)console_put_edit_rep(
            &m, &(struct console_edit_rep){ rep->how, c->edit.cursor, rep->line });
    else
        (void)console_put_read_rep(&m, rep);
    m.err = err;
    c->reads = false;
    (void)kozo_reply_to((struct kozo_reply){ c->reader }, &m);
    (void)kozo_cap_delete(kozo_own(c->reader));
}

static void end_read(struct console_server *c, enum edit_result r)
{
    struct console_read_rep rep = { .how = r - EDIT_ENTERED };

    if (r == EDIT_ENTERED || r == EDIT_TAB)
        rep.line = edit_text(&c->edit);
    c->ahead.goes_on = r == EDIT_TAB;
    answer_reader(c, KOZO_OK, &rep);
}
static_assert(EDIT_STOPPED - EDIT_ENTERED == (int)KOZO_CONSOLE_STOPPED &&
              EDIT_ENDED - EDIT_ENTERED == (int)KOZO_CONSOLE_ENDED &&
              EDIT_TAB - EDIT_ENTERED == (int)KOZO_CONSOLE_TAB);

static void type(struct console_server *c, char key)
{
    enum edit_result r;

    show_prompt(c); /* above it something may have been shown */
    r = edit_key(&c->edit, key);
    if (r != EDIT_GOES_ON)
        end_read(c, r);
}

/* ---- the question ---- */

static void answer_asker(struct console_server *c, enum ask_result r)
{
    struct console_ask_rep rep = { .yes = r == ASK_YES };
    struct kozo_msg m;

    kozo_msg_init(&m);
    (void)console_put_ask_rep(&m, &rep);
    (void)kozo_reply_to((struct kozo_reply){ c->asker }, &m);
    (void)kozo_cap_delete(kozo_own(c->asker));
}

/* Whether who asked does not wait any more: the question then leaves the terminal. */
static bool end_ask_of_nobody(struct console_server *c)
{
    struct kozo_verified v;

    if (!c->ask.active)
        return false;
    v = kozo_cap_verify(kozo_own(c->asker), kozo_own(0));
    if (v.err == KOZO_OK && KOZO_VERIFY_KIND(v.what) == KOZO_KIND_REPLY)
        return false;
    ask_end(&c->ask);
    return true;
}

static void say(struct console_server *c, struct kozo_str text)
{
    if (c->reads)
        edit_hide(&c->edit);
    ask_hide(&c->ask);
    end_open_line(c);
    ask_tell(&c->ask, text);
}

/* ---- keys ---- */

/* Ctrl-C for what runs, which writes sooner or later: what was typed for after it is not wanted. */
static void stop(struct console_server *c)
{
    c->stopped = true;
    ahead_clear(&c->ahead);
}

/* Without a reader keys wait, and Ctrl-C stops what writes. */
static void keep_key(struct console_server *c, char key)
{
    if (key == ctrl_c) {
        stop(c);
        show(c, from_keys, kozo_str("^C\n"));
    } else if (!ahead_put(&c->ahead, key))
        serial_write("\a", 1);
}

static void say_dropped(struct console_server *c)
{
    uint32_t dropped = ahead_reopen(&c->ahead);
    char text[128];
    struct line l = line_begin(text, sizeof text);

    if (dropped == 0)
        return;
    line_add(&l, "[console] lines dropped of what was typed ahead: ");
    line_add_number(&l, dropped);
    line_add(&l, c->ahead.cut ? "; the last one goes on until Enter or Ctrl-C\n" : "\n");
    show(c, from_keys, line_text(&l));
}

static void take_kept_keys(struct console_server *c)
{
    int key;

    if (!c->reads || c->ask.active)
        return;
    if (ahead_voids(&c->ahead)) {
        edit_hide(&c->edit);
        edit_clear(&c->edit);
    }
    while (c->reads && (key = ahead_take(&c->ahead)) >= 0)
        type(c, (char)key);
    if (c->reads)
        say_dropped(c);
}

/* Before keys count for a question they go nowhere, and with them a line of which they are part. */
static void lose_key(struct console_server *c, char key)
{
    if (c->reads && !ahead_waits(&c->ahead)) {
        edit_lose(&c->edit, key); /* the line comes back, for the person to look at */
        return;
    }
    serial_write("\a", 1);
    if (key == ctrl_c && !c->reads)
        keep_key(c, key);
    else
        (void)ahead_drop(&c->ahead, key);
}

/* Ctrl-C that answers no is Ctrl-C for what runs, too: it may be who asks, again and again. */
static void answer(struct console_server *c, char key)
{
    enum ask_result r;

    if (c->ask.armed) {
        c->ahead.cut = false; /* there was a pause: no line goes on */
        edit_pause(&c->edit);
        if (key == ctrl_c && !c->reads)
            stop(c);
    } else
        lose_key(c, key);
    r = ask_key(&c->ask, key, kozo_now());
    if (r != ASK_GOES_ON)
        answer_asker(c, r);
}

static void take_keys(struct console_server *c)
{
    int key;

    while ((key = serial_read()) >= 0) {
        take_kept_keys(c); /* they came before it */
        if (c->ask.active)
            answer(c, (char)key);
        else if (!c->reads)
            keep_key(c, (char)key);
        else if (!ahead_skips(&c->ahead, (char)key))
            type(c, (char)key);
    }
}

/* ---- the protocol ---- */

static void print_denial(void *context, struct kozo_str line)
{
    (void)context;
    kozo_printf("%.*s\n", (int)line.len, line.at);
}

static enum kozo_err refuse(struct console_server *c, const struct kozo_msg *m, uint8_t asked)
{
    static const struct denial_names names = {
        .object = "console",
        .right = { "read", "write", "ask" },
        .hint = "console under capabilities in its section of " MANIFEST_PATH
                " is to read and write, console:write to write only",
    };

    denial_of_rights(&c->denials, &c->manifest, m->badge, m->user, asked, &names, kozo_now(),
                     print_denial, nullptr);
    return KOZO_ERR_RIGHTS;
}

/* A prompt is one line, and looks like no question. */
static struct kozo_str clean_prompt(char to[EDIT_PROMPT], struct kozo_str prompt)
{
    uint64_t len = prompt.len < EDIT_PROMPT ? prompt.len : EDIT_PROMPT;

    for (uint64_t i = 0; i < len; i++) {
        bool mark = prompt.at[i] == '?' && i > 0 && prompt.at[i - 1] == '[';

        to[i] = prompt.at[i] >= ' ' && prompt.at[i] < 0x7f && !mark ? prompt.at[i] : '.';
    }
    return (struct kozo_str){ to, len };
}

static enum kozo_err serve_read(struct console_server *c, const struct kozo_msg *m,
                                const struct console_read_req *req, struct console_read_rep *rep)
{
    char prompt[EDIT_PROMPT];

    (void)rep;
    if ((m->user & KOZO_CONSOLE_READ) == 0)
        return refuse(c, m, KOZO_CONSOLE_READ);
    if (c->reads) {
        edit_hide(&c->edit);
        answer_reader(c, KOZO_ERR_CANCELLED, &(struct console_read_rep){});
    }
    if (kozo_reply_save(kozo_own(c->reader)) != KOZO_OK)
        return KOZO_ERR_LIMIT;
    c->saves = c->reads = true;
    c->stopped = false;
    end_open_line(c);
    ask_hide(&c->ask);
    edit_begin(&c->edit, clean_prompt(prompt, req->prompt));
    if (c->ask.active)
        edit_hide(&c->edit);
    take_kept_keys(c);
    return KOZO_OK;
}

/* As READ, but for what the line begins with, and Tab. */
static enum kozo_err serve_edit(struct console_server *c, const struct kozo_msg *m,
                                const struct console_edit_req *req, struct console_edit_rep *rep)
{
    struct console_read_req read = { .prompt = req->prompt };
    enum kozo_err err;

    (void)rep;
    if ((m->user & KOZO_CONSOLE_READ) == 0)
        return refuse(c, m, KOZO_CONSOLE_READ);
    edit_prepare(&c->edit, req->line, req->cursor);
    err = serve_read(c, m, &read, &(struct console_read_rep){});
    if (err != KOZO_OK)
        c->edit.prepared = false;
    return err;
}

static enum kozo_err serve_write(struct console_server *c, const struct kozo_msg *m,
                                 const struct console_write_req *req, struct console_write_rep *rep)
{
    (void)rep;
    if ((m->user & KOZO_CONSOLE_WRITE) == 0)
        return refuse(c, m, KOZO_CONSOLE_WRITE);
    if ((m->user & KOZO_CONSOLE_READ) == 0) {
        show(c, m->badge, req->text);
        return KOZO_OK;
    }
    if (c->stopped) {
        c->stopped = false;
        return KOZO_ERR_CANCELLED;
    }
    show(c, m->badge, req->text);
    return KOZO_OK;
}

/* What was typed before it is not an answer: it goes where it would have gone. */
static enum kozo_err serve_ask(struct console_server *c, const struct kozo_msg *m,
                               const struct console_ask_req *req, struct console_ask_rep *rep)
{
    (void)rep;
    if ((m->user & KOZO_CONSOLE_ASK) == 0)
        return refuse(c, m, KOZO_CONSOLE_ASK);
    (void)end_ask_of_nobody(c);
    if (c->ask.active)
        return KOZO_ERR_IN_USE;
    take_keys(c);
    if (kozo_reply_save(kozo_own(c->asker)) != KOZO_OK)
        return KOZO_ERR_LIMIT;
    c->saves = true;
    if (c->reads)
        edit_hide(&c->edit);
    end_open_line(c);
    ask_begin(&c->ask, req, kozo_now());
    return KOZO_OK;
}

static enum kozo_err serve_tell(struct console_server *c, const struct kozo_msg *m,
                                const struct console_tell_req *req, struct console_tell_rep *rep)
{
    (void)rep;
    if ((m->user & KOZO_CONSOLE_ASK) == 0)
        return refuse(c, m, KOZO_CONSOLE_ASK);
    (void)end_ask_of_nobody(c);
    say(c, req->text);
    return KOZO_OK;
}

static const struct console_ops ops = { .read = serve_read,
                                        .edit = serve_edit,
                                        .write = serve_write,
                                        .ask = serve_ask,
                                        .tell = serve_tell };

/* ---- the loop ---- */

/*
 * What came without a message: keys and lines. A message is served after the lines before it. Who
 * writes without a pause keeps nobody's keys or lines waiting: every few messages there is a look.
 */
static void look(struct console_server *c, bool interrupted)
{
    if (interrupted)
        (void)kozo_irq_ack(c->irq);
    take_keys(c);
    if (end_ask_of_nobody(c))
        say(c, kozo_str("withdrawn: policy asks no more"));
    take_kept_keys(c);
    show_lines(c);
    if (kozo_now() >= c->kernel_next)
        show_kernel(c);
}

static uint64_t next_event(const struct console_server *c)
{
    uint64_t at[] = { ask_wake(&c->ask), c->kernel_next, denial_deadline(&c->denials) };
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i < sizeof at / sizeof at[0]; i++)
        if (at[i] < next)
            next = at[i];
    return next;
}

[[noreturn]] static void serve(struct console_server *c, struct kozo_endpoint port)
{
    uint32_t messages = 0; /* since the last look */
    bool answer = false;
    struct kozo_msg m;

    kozo_msg_init(&m);
    for (;;) {
        enum kozo_err err;
        bool message;

        denial_settle(&c->denials, kozo_now(), print_denial, nullptr);
        if (c->ask.active && !c->ask.armed)
            take_keys(c); /* what waited in the port was not typed for it */
        show_prompt(c);
        kozo_msg_deadline(&m, next_event(c));
        err = answer ? kozo_reply_recv(port, &m) : kozo_recv(port, &m);
        if (err != KOZO_OK && err != KOZO_ERR_TIMEOUT)
            kozo_fatal("receive: %s", kozo_err_text(err));
        message = err == KOZO_OK && (m.what & KOZO_MSG_NOTIFICATION) == 0;
        answer = false;
        if (message) {
            show_lines(c);
            c->saves = false;
            m.err = console_dispatch(&ops, c, &m);
            answer = !c->saves;
        }
        messages = message ? messages + 1 : 0;
        if (!message || messages % messages_between == 0)
            look(c, err == KOZO_OK && !message && (m.badge & BELL_SERIAL) != 0);
    }
}

int main(int argc, char **argv)
{
    struct console_server *c = &console;
    struct kozo_mapping wire = kozo_mapping("lines"), names = kozo_mapping("manifest");
    struct system_kernel_rep rep;
    struct kozo_msg m;

    (void)argc;
    (void)argv;
    c->irq.c = kozo_cap("com1-line");
    c->system = kozo_cap_endpoint("kernel-log");
    c->reader = kozo_slot_alloc();
    c->asker = kozo_slot_alloc();
    c->edit.sink = c->ask.sink = serial_write;
    if (kozo_cap("com1") == 0 || c->irq.c == 0 ||
        kozo_ring_join(&c->lines, KOZO_RING_CONSUMER, (void *)(uintptr_t)wire.at, wire.bytes,
                       WIRE_ENTRIES, sizeof(struct wire_entry), (struct kozo_notification){},
                       (struct kozo_notification){}) != KOZO_OK)
        kozo_fatal("needs the capabilities com1, com1-line and lines");
    if (names.at != nullptr)
        (void)manifest_parse(&c->manifest, (struct kozo_str){ names.at, names.bytes });
    serial_begin((struct kozo_io_port){ kozo_cap("com1") });
    c->kernel_at = KOZO_SYSTEM_TAKEN;
    if (c->system.c != 0 && read_kernel(c, &m, &rep) == KOZO_OK)
        c->kernel_at = rep.next;
    (void)kozo_ready();
    show_kernel(c); /* what init said before it knew */
    say_restarted(c);
    serve(c, kozo_cap_endpoint("serve"));
}
