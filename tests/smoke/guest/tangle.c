/* SPDX-License-Identifier: MIT */
/*
 * tangle - a program that waits for ever for who waits for it: with `pipe` for its input, without
 * taking any; with a name, it takes a call by `serve` and then calls that name.
 */
#include <kozo/msg.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>

int main(int argc, char **argv)
{
    struct kozo_msg m;

    if (argc != 2)
        return 1;
    if (strcmp(argv[1], "pipe") == 0)
        while (kozo_wait((struct kozo_notification){ kozo_cap("stdin.wait") }).err == KOZO_OK)
            ;
    kozo_msg_init(&m);
    if (kozo_recv(kozo_cap_endpoint("serve"), &m) != KOZO_OK)
        return 2;
    kozo_msg_init(&m);
    return kozo_call(kozo_cap_endpoint(argv[1]), &m) == KOZO_OK ? 0 : 3;
}
