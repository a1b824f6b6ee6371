/* SPDX-License-Identifier: MIT */
/*
 * handle.h - one type for each kind of capability, so that a CNode cannot be passed for an
 * Endpoint.
 *
 * Owns:      the handle types, and `place`: a slot in some CNode, for the calls that work on slots.
 * Not here:  the calls (syscall.h), finding a free slot (slots.h), what a program was given
 *            (start.h).
 * Spec:      docs/spec/capabilities.md
 *
 * A handle is an address in the caller's own capability space and nothing more: copying one copies
 * no authority, and { 0 } is "none".
 */
#pragma once

#include <kozo/abi.h>

struct kozo_untyped { kozo_cptr c; };
struct kozo_cnode { kozo_cptr c; };
struct kozo_endpoint { kozo_cptr c; };
struct kozo_notification { kozo_cptr c; };
struct kozo_reply { kozo_cptr c; };
struct kozo_thread { kozo_cptr c; };
struct kozo_pool { kozo_cptr c; };
struct kozo_space { kozo_cptr c; };
struct kozo_page_table { kozo_cptr c; };
struct kozo_frame { kozo_cptr c; };
struct kozo_irq_control { kozo_cptr c; };
struct kozo_irq { kozo_cptr c; };
struct kozo_io_port { kozo_cptr c; };
struct kozo_debug { kozo_cptr c; };

/* A slot of the CNode that `cnode` names; cnode { 0 } is the caller's own capability space. */
struct kozo_place {
    struct kozo_cnode cnode;
    kozo_cptr slot;
};

/* The place `slot` in the caller's own capability space. */
static inline struct kozo_place kozo_own(kozo_cptr slot)
{
    return (struct kozo_place){ { 0 }, slot };
}

/* The place `slot` in another CNode. */
static inline struct kozo_place kozo_in(struct kozo_cnode cnode, kozo_cptr slot)
{
    return (struct kozo_place){ cnode, slot };
}
