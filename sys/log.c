/* SPDX-License-Identifier: MIT */
#include <kozo/log.h>

#include <kozo/start.h>

enum kozo_err kozo_log_write(const char *text, size_t len)
{
    struct kozo_endpoint log = kozo_cap_endpoint("log");
    enum kozo_err err = log.c == 0 ? KOZO_ERR_EMPTY : KOZO_OK;
    struct log_write_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    for (size_t n; err == KOZO_OK && len != 0; text += n, len -= n) {
        n = len < KOZO_LOG_TEXT ? len : KOZO_LOG_TEXT;
        err = log_call_write(log, &m, &(struct log_write_req){ .text = { text, n } }, &rep);
    }
    return err;
}

enum kozo_err kozo_ready(void)
{
    struct kozo_endpoint log = kozo_cap_endpoint("log");
    struct log_ready_rep rep;
    struct kozo_msg m;

    if (log.c == 0)
        return KOZO_ERR_EMPTY;
    kozo_msg_init(&m);
    return log_call_ready(log, &m, &(struct log_ready_req){}, &rep);
}

enum kozo_err kozo_step(const char *name, bool ok, const char *expected, const char *got)
{
    struct kozo_endpoint log = kozo_cap_endpoint("log");
    struct log_step_req req = {
        .name = kozo_str_cut(name, 63),
        .ok = ok,
        .expected = kozo_str_cut(expected, 127),
        .got = kozo_str_cut(got, 127),
    };
    struct log_step_rep rep;
    struct kozo_msg m;

    if (log.c == 0)
        return KOZO_ERR_EMPTY;
    kozo_msg_init(&m);
    return log_call_step(log, &m, &req, &rep);
}
