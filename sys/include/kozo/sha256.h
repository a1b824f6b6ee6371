/* SPDX-License-Identifier: MIT */
/*
 * sha256.h - the hash by which init knows its binaries.
 *
 * Owns:      nothing; the state is the caller's.
 * Cost:      one pass, no allocation. Not hardened against timing: what it hashes is no secret.
 * Spec:      FIPS 180-4
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define KOZO_SHA256_BYTES 32u
#define KOZO_SHA256_HEX 65u /* as text, with its NUL */

struct kozo_sha256 {
    uint32_t h[8];
    uint64_t bytes;
    uint8_t block[64];
};

/* Hash piece by piece: init, update as often as need be, final. */
void kozo_sha256_init(struct kozo_sha256 *s);
void kozo_sha256_update(struct kozo_sha256 *s, const void *data, size_t bytes);
void kozo_sha256_final(struct kozo_sha256 *s, uint8_t digest[KOZO_SHA256_BYTES]);

/* Hash at once. */
void kozo_sha256(const void *data, size_t bytes, uint8_t digest[KOZO_SHA256_BYTES]);

/* The digest as 64 lower-case digits, and back: false unless `hex` is 64 hexadecimal digits. */
void kozo_sha256_to_hex(const uint8_t digest[KOZO_SHA256_BYTES], char hex[KOZO_SHA256_HEX]);
bool kozo_sha256_from_hex(const char *hex, size_t len, uint8_t digest[KOZO_SHA256_BYTES]);
