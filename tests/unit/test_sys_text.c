/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <kozo/error.h>
#include <kozo/string.h>

#include <stdlib.h>

/* Ours beside the host's own, which is what they are compared with. */
#define memcpy sys_memcpy
#define memset sys_memset
#define memmove sys_memmove
#define memcmp sys_memcmp
#define memchr sys_memchr
#define strlen sys_strlen
#define strnlen sys_strnlen
#define strcmp sys_strcmp
#define strncmp sys_strncmp
#define strchr sys_strchr
#define strrchr sys_strrchr
#define strstr sys_strstr
#define strlcpy sys_strlcpy
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *at, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *at, int byte, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *part);
size_t strlcpy(char *restrict to, const char *restrict from, size_t size);
#include "../../sys/string.c"
#undef memcpy
#undef memset
#undef memmove
#undef memcmp
#undef strcmp

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

TEST(bytes_are_moved_whatever_overlaps)
{
    char ours[64], theirs[64];

    for (unsigned from = 0; from < 20; from++)
        for (unsigned to = 0; to < 20; to++)
            for (unsigned n = 0; n < 40; n++) {
                for (unsigned i = 0; i < 64; i++)
                    ours[i] = theirs[i] = (char)(i * 7);
                CHECK_PTR(sys_memmove(ours + to, ours + from, n), ours + to);
                memmove(theirs + to, theirs + from, n);
                CHECK(memcmp(ours, theirs, 64) == 0);
            }
}

TEST(bytes_are_copied_and_set_and_no_more)
{
    char ours[64], theirs[64], from[64];

    for (unsigned i = 0; i < 64; i++)
        from[i] = (char)(i + 1);
    for (unsigned at = 0; at < 9; at++)
        for (unsigned n = 0; n < 50; n++) {
            memset(ours, 0x55, 64), memset(theirs, 0x55, 64);
            sys_memcpy(ours + at, from, n), memcpy(theirs + at, from, n);
            CHECK(memcmp(ours, theirs, 64) == 0);
            sys_memset(ours + at, -3, n), memset(theirs + at, -3, n);
            CHECK(memcmp(ours, theirs, 64) == 0);
        }
}

TEST(strings_compare_as_bytes)
{
    static const char *const s[] = { "", "a", "b", "ab", "abc", "\xff", "a\x80" };

    for (unsigned i = 0; i < 7; i++)
        for (unsigned k = 0; k < 7; k++) {
            CHECK_EQ(sign(sys_strcmp(s[i], s[k])), sign(strcmp(s[i], s[k])));
            CHECK_EQ(sign(sys_strncmp(s[i], s[k], 1)), sign(__builtin_strncmp(s[i], s[k], 1)));
        }
    CHECK_EQ(sys_strncmp("a", "b", 0), 0);
    CHECK(sys_memcmp("\x01", "\xff", 1) < 0);
}

/* Of every length, wherever the first difference is, and a second one that says otherwise. */
TEST(bytes_are_compared_up_to_the_first_difference)
{
    for (unsigned len = 0; len < 40; len++) {
        for (unsigned at = 0; at <= len; at++) {
            unsigned char a[48], b[48];

            for (unsigned i = 0; i < sizeof a; i++)
                a[i] = b[i] = (unsigned char)(i * 37);
            a[at] = 0x7f;
            b[at] = 0x80;
            a[at + 1] = 0xff;
            CHECK_EQ(sign(sys_memcmp(a, b, len)), at < len ? -1 : 0);
            CHECK_EQ(sign(sys_memcmp(b, a, len)), at < len ? 1 : 0);
            CHECK_EQ(sys_memcmp(a + 1, a + 1, len), 0);
        }
    }
}

TEST(strings_are_searched)
{
    static const char s[] = "a/b/c";

    CHECK_PTR(sys_strchr(s, '/'), s + 1);
    CHECK_PTR(sys_strrchr(s, '/'), s + 3);
    CHECK_PTR(sys_strchr(s, 'x'), nullptr);
    CHECK_PTR(sys_strrchr(s, 'x'), nullptr);
    CHECK_PTR(sys_strchr(s, '\0'), s + 5);
    CHECK_PTR(sys_strrchr(s, '\0'), s + 5);
    CHECK_PTR(sys_strstr(s, "b/"), s + 2);
    CHECK_PTR(sys_strstr(s, ""), s);
    CHECK_PTR(sys_strstr(s, "c/"), nullptr);
    CHECK_EQ(sys_strnlen("abc", 2), 2);
    CHECK_EQ(sys_strlen(""), 0);
}

TEST(strlcpy_cuts_and_ends)
{
    char to[4] = "zzz";

    CHECK_EQ(sys_strlcpy(to, "abcdef", sizeof(to)), 6);
    CHECK_STR(to, "abc");
    CHECK_EQ(sys_strlcpy(to, "x", sizeof(to)), 1);
    CHECK_STR(to, "x");
    CHECK_EQ(sys_strlcpy(to, "y", 0), 1);
    CHECK_STR(to, "x");
}

static bool parse(const char *s, uint64_t *v)
{
    return kozo_parse_u64(s, sys_strlen(s), v);
}

TEST(numbers_fill_their_text_and_fit)
{
    static const char *const wrong[] = {
        "",   "x",   "0x",  "1 ",                   " 1",                  "-1",
        "+1", "12a", "0xg", "18446744073709551616", "0x10000000000000000", "99999999999999999999",
    };
    uint64_t v = 5;

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CHECK(!parse(wrong[i], &v));
    CHECK_EQ(v, 5);
    CHECK(parse("0", &v) && v == 0);
    CHECK(parse("18446744073709551615", &v) && v == UINT64_MAX);
    CHECK(parse("0xFFffFFFFffffffff", &v) && v == UINT64_MAX);
    CHECK(parse("007", &v) && v == 7);
}

TEST(numbers_of_the_abi_have_names)
{
    CHECK_STR(kozo_err_name(KOZO_ERR_NOMEM), "NOMEM");
    CHECK_STR(kozo_err_text(KOZO_OK), "no error");
    CHECK_STR(kozo_err_name((enum kozo_err)12345), "?");
    CHECK_STR(kozo_kind_name(KOZO_KIND_THREAD_POOL), "ThreadPool");
    CHECK_STR(kozo_kind_name((enum kozo_kind)99), "?");
    CHECK_STR(kozo_fault_name(KOZO_FAULT_PAGE), "PAGE");
    CHECK_STR(kozo_fault_text(1ull << 40), "?");
    CHECK_STR(kozo_syscall_name(KOZO_SYS_REPLY_RECV), "reply_recv");
    CHECK_STR(kozo_syscall_name(99), "?");
}
