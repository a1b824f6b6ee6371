/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <kozo/sha256.h>

#include <string.h>

static void check(const char *text, const char *want)
{
    uint8_t digest[KOZO_SHA256_BYTES], back[KOZO_SHA256_BYTES];
    char hex[KOZO_SHA256_HEX];

    kozo_sha256(text, strlen(text), digest);
    kozo_sha256_to_hex(digest, hex);
    CHECK_STR(hex, want);
    CHECK(kozo_sha256_from_hex(hex, 64, back));
    CHECK(memcmp(digest, back, sizeof(back)) == 0);
}

/* From NIST's examples for FIPS 180-4. */
TEST(vectors_of_nist)
{
    check("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
          "lmnopqrsmnopqrstnopqrstu",
          "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

TEST(a_million_times_a_in_pieces_of_any_size)
{
    static const char want[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    static char as[1000];
    struct kozo_sha256 s;
    uint8_t digest[KOZO_SHA256_BYTES];
    char hex[KOZO_SHA256_HEX];
    size_t left = 1000000, n = 1;

    memset(as, 'a', sizeof(as));
    kozo_sha256_init(&s);
    for (; left != 0; left -= n, n = n * 7 % 1000 + 1) {
        if (n > left)
            n = left;
        kozo_sha256_update(&s, as, n);
    }
    kozo_sha256_final(&s, digest);
    kozo_sha256_to_hex(digest, hex);
    CHECK_STR(hex, want);
}

TEST(hex_is_64_digits)
{
    uint8_t d[KOZO_SHA256_BYTES];
    char hex[65];

    memset(hex, 'A', sizeof(hex));
    CHECK(kozo_sha256_from_hex(hex, 64, d));
    CHECK_EQ(d[31], 0xaa);
    CHECK(!kozo_sha256_from_hex(hex, 63, d));
    CHECK(!kozo_sha256_from_hex(hex, 65, d));
    hex[63] = 'g';
    CHECK(!kozo_sha256_from_hex(hex, 64, d));
}
