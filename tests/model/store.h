/* SPDX-License-Identifier: MIT */
/*
 * store.h - keeping a model and putting it back.
 *
 * Owns:      nothing; see store.c.
 * Not here:  the machine's memory as the model has it (m->ram).
 */
#pragma once

#include <stdint.h>

#define M_STORE_BYTES (4u << 20)

uint64_t m_store_bytes(void);
/* Copy all of the model to `copy`, m_store_bytes() of it. */
void m_store_keep(void *copy);
void m_store_put_back(const void *copy, uint64_t bytes);
