/* SPDX-License-Identifier: MIT */
/*
 * scribe - a service that works below /ram, as its arguments say, one word after the other.
 *
 * It is no test program of its own: tests/smoke/test_ram.py puts it into the manifest, beside a
 * person at the prompt.
 *
 *     wait PATH         until there is such a file: so the person says when to go on
 *     write PATH KIB    write so much to a file
 *     hold PATH         open a file, and keep it open
 *     use               read a byte of the file that is open
 *     usage             say what its account has
 */
#include <kozo/error.h>
#include <kozo/file.h>
#include <kozo/log.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/time.h>

static struct kozo_endpoint held;

static struct kozo_endpoint root(void) { return kozo_cap_endpoint("fs"); }

static void wait(const char *path)
{
    struct kozo_file f;

    while ((f = kozo_file_open(root(), path, KOZO_FILE_READ)).err == KOZO_ERR_NOT_FOUND)
        (void)kozo_sleep(5 * KOZO_MS);
    (void)kozo_file_close(f.cap);
}

static void write(const char *path, const char *kib)
{
    static const char piece[KOZO_FILE_CHUNK];
    struct kozo_file f = kozo_file_create(root(), path, KOZO_FILE_WRITE);
    struct kozo_res r = { .err = f.err };
    uint64_t bytes = 0, at = 0;

    (void)kozo_parse_u64(kib, strlen(kib), &bytes);
    for (bytes *= 1024; at < bytes && r.err == KOZO_OK; at += r.value)
        r = kozo_file_write(f.cap, at, piece,
                            bytes - at < sizeof piece ? bytes - at : sizeof piece);
    kozo_printf("wrote %llu KiB of %s: %s\n", (unsigned long long)at / 1024, path,
                kozo_err_text(r.err));
}

static void hold(const char *path)
{
    struct kozo_file f = kozo_file_open(root(), path, KOZO_FILE_READ);

    held = f.cap;
    kozo_printf("holds %s: %s\n", path, kozo_err_text(f.err));
}

static void use(void)
{
    char byte;

    kozo_printf("uses what it holds: %s\n", kozo_err_text(kozo_file_read(held, 0, &byte, 1).err));
}

static void usage(void)
{
    struct kozo_file_usage u = kozo_file_usage(root());

    kozo_printf("has %llu of %llu KiB, %llu of %llu files\n", (unsigned long long)u.bytes / 1024,
                (unsigned long long)u.max_bytes / 1024, (unsigned long long)u.files,
                (unsigned long long)u.max_files);
}

int main(int argc, char **argv)
{
    (void)kozo_ready();
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];

        if (strcmp(word, "use") == 0)
            use();
        else if (strcmp(word, "usage") == 0)
            usage();
        else if (i + 1 == argc)
            return 1;
        else if (strcmp(word, "wait") == 0)
            wait(argv[++i]);
        else if (strcmp(word, "hold") == 0)
            hold(argv[++i]);
        else if (strcmp(word, "write") == 0 && i + 2 < argc) {
            write(argv[i + 1], argv[i + 2]);
            i += 2;
        } else
            return 1;
    }
    kozo_printf("all done\n");
    (void)kozo_sleep(3600 * KOZO_S);
    return 0;
}
