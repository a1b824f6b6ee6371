/* SPDX-License-Identifier: MIT */
#include <kozo/string.h>

#include <stdckdint.h>

static unsigned digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (unsigned)((c | 0x20) - 'a') + 10;
    return 99;
}

bool kozo_parse_u64(const char *s, size_t len, uint64_t *out)
{
    bool hex = len > 2 && s[0] == '0' && (s[1] | 0x20) == 'x';
    uint64_t base = hex ? 16 : 10, v = 0;

    if (len == 0)
        return false;
    for (size_t i = hex ? 2 : 0; i < len; i++) {
        uint64_t d = digit(s[i]);

        if (d >= base || ckd_mul(&v, v, base) || ckd_add(&v, v, d))
            return false;
    }
    *out = v;
    return true;
}
