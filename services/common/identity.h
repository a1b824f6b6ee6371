/* SPDX-License-Identifier: MIT */
/*
 * identity.h - who a service is to others: the badge that init gives to every capability of its.
 *
 * Bits 0-31: its place in the manifest, from 1 on. Bits 32-61: which life of it, from 1 on, so that
 * what was granted to one that died is not its successor's. Bits 62 and 63 are never set: with 62
 * policy marks, for itself, who asks by a copy that a service has lent; badges with 63 are a
 * server's own.
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
static inline uint32_t identity_index(uint64_t badge) { return (uint32_t)badge - 1; }

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

/* Whose badge it is; null when it is nobody's. */
static inline const struct manifest_service *identity_service(const struct manifest *m,
                                                              uint64_t badge)
{
    uint32_t i = identity_index(badge);

    return i < m->services ? &m->service[i] : nullptr;
}
