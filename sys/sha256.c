/* SPDX-License-Identifier: MIT */
#include <kozo/sha256.h>

#include <kozo/string.h>

static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static uint32_t load(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The message schedule of FIPS 180-4, 6.2.2, kept as a ring of 16 words. */
static uint32_t schedule(uint32_t w[16], unsigned t)
{
    uint32_t a = w[(t + 1) % 16], b = w[(t + 14) % 16];

    w[t % 16] += (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[(t + 9) % 16] +
                 (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    return w[t % 16];
}

static void compress(uint32_t h[8], const uint8_t *block)
{
    uint32_t w[16], v[8];

    for (unsigned i = 0; i < 16; i++)
        w[i] = load(block + 4 * i);
    memcpy(v, h, sizeof(v));
    for (unsigned t = 0; t < 64; t++) {
        uint32_t a = v[0], e = v[4];
        uint32_t t1 = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                      ((e & v[5]) ^ (~e & v[6])) + k[t] + (t < 16 ? w[t] : schedule(w, t));
        uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                      ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

        for (unsigned i = 7; i > 0; i--)
            v[i] = v[i - 1];
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (unsigned i = 0; i < 8; i++)
        h[i] += v[i];
}

void kozo_sha256_init(struct kozo_sha256 *s)
{
    *s = (struct kozo_sha256){ .h = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                      0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
}

void kozo_sha256_update(struct kozo_sha256 *s, const void *data, size_t bytes)
{
    const uint8_t *p = data;
    size_t held = s->bytes % 64;

    s->bytes += bytes;
    if (held != 0) {
        size_t n = 64 - held < bytes ? 64 - held : bytes;

        memcpy(s->block + held, p, n);
        p += n;
        bytes -= n;
        if (held + n < 64)
            return;
        compress(s->h, s->block);
    }
    for (; bytes >= 64; p += 64, bytes -= 64)
        compress(s->h, p);
    if (bytes != 0)
        memcpy(s->block, p, bytes);
}

void kozo_sha256_final(struct kozo_sha256 *s, uint8_t digest[KOZO_SHA256_BYTES])
{
    static const uint8_t padding[64] = { 0x80 };
    uint64_t bits = s->bytes * 8;
    uint8_t length[8];

    for (unsigned i = 0; i < 8; i++)
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    kozo_sha256_update(s, padding, 1 + (119 - s->bytes % 64) % 64);
    kozo_sha256_update(s, length, sizeof(length));
    for (unsigned i = 0; i < KOZO_SHA256_BYTES; i++)
        digest[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

void kozo_sha256(const void *data, size_t bytes, uint8_t digest[KOZO_SHA256_BYTES])
{
    struct kozo_sha256 s;

    kozo_sha256_init(&s);
    kozo_sha256_update(&s, data, bytes);
    kozo_sha256_final(&s, digest);
}

void kozo_sha256_to_hex(const uint8_t digest[KOZO_SHA256_BYTES], char hex[KOZO_SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned i = 0; i < KOZO_SHA256_BYTES; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * KOZO_SHA256_BYTES] = '\0';
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

bool kozo_sha256_from_hex(const char *hex, size_t len, uint8_t digest[KOZO_SHA256_BYTES])
{
    if (len != 2 * KOZO_SHA256_BYTES)
        return false;
    for (unsigned i = 0; i < KOZO_SHA256_BYTES; i++) {
        int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        digest[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
