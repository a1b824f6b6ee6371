/* SPDX-License-Identifier: MIT */
/*
 * abuse.h - whatever is no request of policy's, or none that can be granted: petitioner.c says it.
 *
 * It prints what was served or granted all the same.
 */
#pragma once

#include <kozo/error.h>
#include <kozo/log.h>
#include <kozo/policy.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>

/* One message, as a call or as what nobody waits for; a grant is what must not come of it. */
static inline void send_raw(uint32_t label, uint64_t word, uint8_t words, kozo_cptr cap, bool call)
{
    struct kozo_msg m;

    kozo_msg_init(&m);
    m.label = label;
    for (uint32_t i = 0; i < KOZO_MSG_WORDS; i++)
        m.word[i] = word;
    m.nwords = words;
    if (cap != 0)
        kozo_put_cap(&m, (struct kozo_cap_desc){ .slot = (uint32_t)cap });
    if (!call)
        (void)kozo_send(kozo_cap_endpoint("policy"), &m);
    else if (kozo_call(kozo_cap_endpoint("policy"), &m) == KOZO_OK && m.err == KOZO_OK)
        kozo_printf("%x was served\n", label);
}

static inline void abuse_labels(void)
{
    static const uint64_t words[] = { 0, 1, 255, 10000, UINT64_MAX };
    static const uint32_t versions[] = { 0, 0x100, 0x101, 0x102, 0x200, 0xffff };

    for (uint32_t op = 1; op < 10; op++)
        for (uint32_t v = 0; v < sizeof versions / sizeof versions[0]; v++)
            for (uint32_t w = 0; w < sizeof words / sizeof words[0]; w++)
                for (uint32_t n = 0; n < 3; n++)
                    send_raw(versions[v] << 16 | op, words[w],
                             n == 0   ? 8
                             : n == 1 ? 9
                                      : 64,
                             n == 2 ? kozo_cap("log") : 0, true);
    for (uint32_t op = 0; op < 9; op++)
        send_raw(0x1010000 | op, 1, 64, 0, false);
    send_raw(UINT32_MAX, UINT64_MAX, 64, 0, true);
}

static inline uint64_t drain_all(void)
{
    struct policy_drain_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    kozo_msg_init(&m);
    err = policy_call_drain(kozo_cap_endpoint("policy-admin"), &m,
                            &(struct policy_drain_req){ .through = UINT64_MAX }, &rep);
    return err == KOZO_OK ? rep.count : 0;
}

/* It must be denied by what it asks for, not by a full share. */
static inline void abuse_name(const char *name, uint64_t rights)
{
    struct kozo_grant g;

    (void)drain_all();
    if (kozo_request(name, rights, name, &g) != KOZO_ERR_DENIED ||
        strstr(g.reason, "share") != nullptr)
        kozo_printf("%s: %s, %s was granted\n", name, kozo_err_text(g.err), g.reason);
}

static inline void abuse_names(void)
{
    static const char *const names[] = {
        "",
        ":",
        "fs:",
        "fs:/\xff\xfe\xc0\x80",
        "fs:/a//b",
        "fs:/../a",
        "fs:/./a",
        "fs:/a\x1b[2J",
        "nobody:/a",
        "fs:kill",
        "fs:/etc/*",
        "process:kill ",
        "process:/a",
        "process:",
        "policy:/etc",
        "fs:/etc/motd/",
        "process:kill",
        "process:kill/",
        "process:kill/nobody",
        "process:kill/init",
        "process:kill/*",
        "process:kill/fsd/",
        "process:love/fsd",
        "fs:kill/fsd",
    };
    static const uint64_t rights[] = { 0, 1, 16, 32, 255, 256, 1ull << 32 | 1, UINT64_MAX };
    char name[256];

    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (uint32_t r = 0; r < sizeof rights / sizeof rights[0]; r++)
            abuse_name(names[i], rights[r]);
    for (uint32_t length = 4; length < sizeof name; length++) {
        memset(name, 'a', length);
        memcpy(name, "fs:/", 4);
        name[length] = '\0';
        abuse_name(name, 1);
    }
}
