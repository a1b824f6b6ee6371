/* SPDX-License-Identifier: MIT */
/*
 * arguments.h - words that make sense as arguments, mostly; chosen by what the running thread has.
 *
 * Owns:      nothing.
 * Not here:  which call to make (generate.c).
 * Callers:   generate.c.
 */
#pragma once

#include "dice.h"
#include "model.h"

/* One of these. */
#define PICK(d, ...)                                                                              \
    ((const uint64_t[]){ __VA_ARGS__ })[dice_below(d, sizeof((const uint64_t[]){ __VA_ARGS__ }) / \
                                                          sizeof(uint64_t))]

/* The CNode that is the running thread's capability space; null when it has none. */
const struct m_object *own_cnode(void);
uint64_t slots_of(const struct m_object *cnode);

/* Kinds of slot, for slot_where; `with` is a kind, or 0. */
bool is_empty(const struct m_cap *c, uint64_t with);
bool is_full(const struct m_cap *c, uint64_t with);
bool is_kind(const struct m_cap *c, uint64_t kind);
bool is_mapped(const struct m_cap *c, uint64_t kind);
/* A slot of the CNode that fits, each as likely as others; 0 when there is none. */
uint64_t slot_where(struct dice *d, const struct m_object *cnode,
                    bool (*fits)(const struct m_cap *, uint64_t), uint64_t with);
/* An address that may be wrong. */
uint64_t odd_slot(struct dice *d, const struct m_object *cnode);
uint64_t address_to_map(struct dice *d);

/* Fill in what the letters ask for. False when a capability that is needed is not there. */
bool arguments(struct dice *d, const char *letters, uint64_t *arg);
