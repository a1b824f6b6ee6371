/* SPDX-License-Identifier: MIT */
/*
 * narrower - a service that asks policy for /ram to list and to make files in, makes a copy that
 * may only list, and makes a file by that.
 *
 * It is no test program of its own: tests/smoke/test_leases.py puts it into the manifest.
 */
#include <kozo/error.h>
#include <kozo/file.h>
#include <kozo/log.h>
#include <kozo/policy.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/syscall.h>
#include <kozo/time.h>

static void say(const char *what, enum kozo_err err)
{
    kozo_printf("%s: %s\n", what, kozo_err_text(err));
}

int main(int argc, char **argv)
{
    struct kozo_endpoint less = { kozo_slot_alloc() };
    struct kozo_dirent entry;
    struct kozo_grant grant;

    (void)argc;
    (void)argv;
    (void)kozo_ready();
    if (kozo_request("fs:/ram", KOZO_FILE_LIST | KOZO_FILE_CREATE, "", &grant) != KOZO_OK)
        kozo_fatal("%s", grant.reason);
    say("copied", kozo_cap_copy(kozo_own(less.c), kozo_own(grant.cap.c),
                                KOZO_RIGHTS(KOZO_WRITE, KOZO_FILE_LIST)));
    say("made", kozo_file_make(less, "x", KOZO_FILE_REGULAR, 0).err);
    say("listed", kozo_file_list(less, 0, &entry));
    (void)kozo_sleep(3600 * KOZO_S);
    return 0;
}
