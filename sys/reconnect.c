/* SPDX-License-Identifier: MIT */
#include <kozo/log.h>
#include <kozo/start.h>
#include <kozo/syscall.h>

enum kozo_err kozo_reconnect(const char *name)
{
    struct kozo_endpoint log = kozo_cap_endpoint("log");
    kozo_cptr slot = kozo_cap(name);
    struct kozo_verified held;
    struct log_connect_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    if (slot == 0 || log.c == 0)
        return KOZO_ERR_EMPTY;
    held = kozo_cap_verify(kozo_own(slot), kozo_own(0));
    if (held.err == KOZO_OK && KOZO_VERIFY_KIND(held.what) != KOZO_KIND_NULL)
        return KOZO_OK;
    kozo_msg_init(&m);
    kozo_msg_window(&m, slot, 1);
    err = log_call_connect(log, &m, &(struct log_connect_req){ .name = kozo_str(name) }, &rep);
    return err == KOZO_OK && rep.cap.slot == 0 ? KOZO_ERR_GONE : err;
}
