/* SPDX-License-Identifier: MIT */
/* knot - a service that calls another one, named by its argument, and serves nobody. */
#include <kozo/log.h>
#include <kozo/msg.h>
#include <kozo/start.h>

int main(int argc, char **argv)
{
    struct kozo_msg m;

    if (argc != 2 || kozo_ready() != KOZO_OK)
        return 1;
    kozo_msg_init(&m);
    return kozo_call(kozo_cap_endpoint(argv[1]), &m) == KOZO_OK ? 0 : 1;
}
