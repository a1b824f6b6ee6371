/* SPDX-License-Identifier: MIT */
/*
 * record.h - what was decided, in a ring where each requester has a share of its own.
 *
 * A record stays until it has been drained by somebody who may; then it can still be looked at until
 * its place is needed. A requester (a service, or those that it lent its capability to) whose share
 * is full of undrained records is turned away, and nobody else is: the shares of all who may ask add
 * up to less than the ring. What the person at the
 * console granted somebody has seen: it is drained from the beginning.
 *
 * Owns:      struct record_table, the numbers of decisions.
 * Not here:  the line in the log (common/audit.h), deciding (rules.h).
 * Callers:   policy and its unit tests; no system calls.
 * Cost:      the number of records.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "common/audit.h"
#include "common/identity.h"
#include "common/manifest.h"
#include "common/object.h"

#define RECORDS 128u
#define RECORD_SHARE_MAX 32u    /* of one requester, also where few may ask */
#define RECORD_FOR_A_REQUEST 2u /* the decision, and the end of the lease it may give */
#define RECORD_TEXT 160u

struct record {
    uint64_t seq;   /* 0 = none */
    uint64_t badge; /* with IDENTITY_LENT */
    uint64_t at_ms;
    uint64_t lease;
    uint32_t lease_ms;
    uint8_t rights, tier;
    enum audit_result result;
    bool drained;
    char rule[MANIFEST_NAME + 1];
    char object[OBJECT_BYTES + 1];
    char why[128];
    char reason[RECORD_TEXT];
    char hint[RECORD_TEXT];
};

struct record_table {
    uint64_t seqs;                         /* given out */
    uint64_t refused[IDENTITY_REQUESTERS]; /* requests turned away because a share was full */
    struct record record[RECORDS];
};

void record_clear(struct record_table *t);
/* How many undrained records each requester of this manifest may have. */
uint32_t record_share(const struct manifest *m);
/* Undrained records of a requester (identity_requester). */
uint32_t record_undrained(const struct record_table *t, uint32_t who);
/*
 * A record with the next number, for the caller to fill; in the place of the oldest that is drained.
 * Never null while every requester keeps to its share.
 */
struct record *record_add(struct record_table *t, uint64_t badge, bool drained);
/* The record with the lowest number from `from` on; null after the last. */
const struct record *record_from(const struct record_table *t, uint64_t from);
/* Drains those up to this number; returns how many that are. */
uint32_t record_drain(struct record_table *t, uint64_t through);
