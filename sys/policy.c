/* SPDX-License-Identifier: MIT */
#include <kozo/policy.h>

#include <kozo/slots.h>
#include <kozo/start.h>

enum kozo_err kozo_request(const char *object, uint64_t rights, const char *why,
                           struct kozo_grant *out)
{
    struct kozo_endpoint policy = kozo_cap_endpoint("policy");
    struct policy_request_req req = { .object = kozo_str(object),
                                      .rights = rights,
                                      .reason = kozo_str_cut(why, 127) };
    struct policy_request_rep rep;
    struct kozo_msg m;

    *out = (struct kozo_grant){ .err = KOZO_ERR_EMPTY };
    if (policy.c == 0)
        return out->err;
    out->cap.c = kozo_slot_alloc();
    if (out->cap.c == 0)
        return out->err = KOZO_ERR_LIMIT;
    kozo_msg_init(&m);
    kozo_msg_window(&m, out->cap.c, 1);
    out->err = policy_call_request(policy, &m, &req, &rep);
    out->lease = rep.lease;
    out->lease_ms = rep.lease_ms;
    kozo_str_copy(out->reason, sizeof(out->reason), rep.reason);
    kozo_str_copy(out->hint, sizeof(out->hint), rep.hint);
    if (out->err == KOZO_OK && rep.cap.slot == 0)
        out->err = KOZO_ERR_GONE;
    if (out->err != KOZO_OK) {
        kozo_slot_drop(out->cap.c);
        out->cap.c = 0;
    }
    return out->err;
}

enum kozo_err kozo_release(struct kozo_grant *grant)
{
    struct policy_release_rep rep;
    enum kozo_err err;
    struct kozo_msg m;

    kozo_msg_init(&m);
    err = policy_call_release(kozo_cap_endpoint("policy"), &m,
                              &(struct policy_release_req){ .lease = grant->lease }, &rep);
    kozo_slot_drop(grant->cap.c);
    *grant = (struct kozo_grant){};
    return err;
}
