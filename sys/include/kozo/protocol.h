/* SPDX-License-Identifier: MIT */
/*
 * protocol.h - what all protocols made from a table in proto/ have in common.
 *
 * Owns:      the label of a request: operation and schema version.
 * Not here:  the tables (proto/NAME.def), the code made from them (make.h by way of log.h,
 *            policy.h, file.h).
 * Spec:      docs/spec/services.md
 *
 * Versions: a change that only appends operations raises the minor number; any other change raises
 * the major one. A server of N.m serves N.0 to N.m, and N-1 as long as it still has what that
 * needs; the rest gets KOZO_ERR_VERSION, and its own version as the answer's first word (major << 8
 * | minor).
 */
#pragma once

#include <kozo/msg.h>

/* A request's label: bits 0-15 operation, 16-23 minor, 24-31 major. */
#define KOZO_REQUEST(op, major, minor) \
    ((uint32_t)(op) | (uint32_t)(minor) << 16 | (uint32_t)(major) << 24)
#define KOZO_REQUEST_OP(label) ((uint16_t)(label))
#define KOZO_REQUEST_MINOR(label) ((uint8_t)((label) >> 16))
#define KOZO_REQUEST_MAJOR(label) ((uint8_t)((label) >> 24))

/* Whether a server of major.minor understands a request with this label. */
bool kozo_version_served(uint32_t label, uint8_t major, uint8_t minor);

/*
 * A server's first look at what came: PROTOCOL when it is no request (fault, notification), VERSION
 * when its version is not served; else OK and *m is ready for get. Used by the NAME_dispatch made
 * from a table.
 */
enum kozo_err kozo_request_open(struct kozo_msg *m, uint8_t major, uint8_t minor);

/* An answer without words; for VERSION the server's own in the first. Returns err. */
enum kozo_err kozo_request_refuse(struct kozo_msg *m, enum kozo_err err, uint8_t major,
                                  uint8_t minor);
