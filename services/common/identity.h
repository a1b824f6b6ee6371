/* SPDX-License-Identifier: MIT */
/*
 * identity.h - who a service is to others: the badge that init gives to every capability of its.
 *
 * Bits 0-15: its place in the manifest, from 1 on. Bits 32-61: which life of it, from 1 on, so that
 * what was granted to one that died is not its successor's. The others are 0, but that
 *
 * - a capability to init that is bound to one service says to which (bits 16-23) and for whom
 *   (24-30): init makes it for its bearer, and it leads nowhere else;
 * - with 62 policy marks who asks by a capability that a service has lent, and with the number of
 *   that (16-31) one that it made for that purpose; 0 is a copy of the service's own;
 * - badges with 63 are a server's own.
 *
 * Owns:      the layout of that badge.
 */
#pragma once

#include "common/manifest.h"

#define IDENTITY_LENT (1ull << 62)
#define IDENTITY_REQUESTERS (2 * MANIFEST_SERVICES) /* services, and whoever they lent it to */

static inline uint64_t identity_badge(uint32_t index, uint32_t life)
{
    return (uint64_t)(life & 0x3fffffffu) << 32 | (index + 1);
}

/* Its place in the manifest, counted from 0; m->services or more when it is nobody's. */
static inline uint32_t identity_index(uint64_t badge) { return (uint32_t)(badge & 0xffff) - 1; }

/* The badge of the service itself, without what is bound or marked. */
static inline uint64_t identity_service_badge(uint64_t badge)
{
    return badge & ~(IDENTITY_LENT | 0xffff0000u);
}

/*
 * Who is counted apart: a service, or all that it lent its capability to. IDENTITY_REQUESTERS or more
 * for nobody.
 */
static inline uint32_t identity_requester(uint64_t badge)
{
    uint32_t i = identity_index(badge);

    return i < MANIFEST_SERVICES ? 2 * i + ((badge & IDENTITY_LENT) != 0) : UINT32_MAX;
}

static inline uint32_t identity_life(uint64_t badge)
{
    return (uint32_t)(badge >> 32) & 0x3fffffffu;
}

/*
 * The same service's badge, bound to the one with this place in the manifest. `client` is the badge
 * of whom it is for; 0: nobody else.
 */
static inline uint64_t identity_bind(uint64_t badge, uint32_t target, uint64_t client)
{
    uint64_t whom = client == 0 ? 0 : (identity_index(client) + 1) & 0x3f;

    return badge | (uint64_t)(target + 1) << 16 | whom << 24 |
           (uint64_t)((client & IDENTITY_LENT) != 0) << 30;
}
static_assert(MANIFEST_SERVICES < 0x40);

static inline bool identity_is_bound(uint64_t badge) { return (badge >> 16 & 0xff) != 0; }

/* To which place in the manifest a bound one is. */
static inline uint32_t identity_target(uint64_t badge)
{
    return (uint32_t)(badge >> 16 & 0xff) - 1;
}

/* For whom it is: a badge that has the place in the manifest, and IDENTITY_LENT. 0: nobody else. */
static inline uint64_t identity_client(uint64_t badge)
{
    return (badge >> 24 & 0x3f) | ((badge >> 30 & 1) != 0 ? IDENTITY_LENT : 0);
}

/* That of a program that the service has lent policy to, the `nth` time, from 1 on. */
static inline uint64_t identity_lent_as(uint64_t badge, uint64_t nth)
{
    return badge | IDENTITY_LENT | ((nth - 1) % 0xffff + 1) << 16;
}

/* Its number; 0: a copy of the service's own, or that itself. */
static inline uint32_t identity_lend(uint64_t badge) { return (uint32_t)(badge >> 16 & 0xffff); }

/* Whose badge it is; null when it is nobody's. */
static inline const struct manifest_service *identity_service(const struct manifest *m,
                                                              uint64_t badge)
{
    uint32_t i = identity_index(badge);

    return i < m->services ? &m->service[i] : nullptr;
}
