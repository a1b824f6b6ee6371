/* SPDX-License-Identifier: MIT */
/*
 * syscalls.c - the bytes are choices: a world of operations, for kernel and reference model alike.
 *
 * A failure prints its operations; `model --input FILE` makes them fewer.
 */
#include "fuzz.h"
#include "generate.h"
#include "lockstep.h"

#define OPS_MOST 400u

static struct op trail[OPS_MOST];
static uint32_t trail_ops;

static void failed(void)
{
    for (uint32_t i = 0; i < trail_ops; i++)
        op_write(stderr, &trail[i]);
    abort();
}

static void world(void *with)
{
    struct dice *d = with;

    trail_ops = 0;
    lockstep_boot();
    generate_begin(d);
    while (trail_ops < OPS_MOST && generate_next(d, &trail[trail_ops])) {
        trail_ops++;
        lockstep_do(&trail[trail_ops - 1]);
    }
    lockstep_end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dice d = dice_from_bytes(data, size);

    lockstep_failed = failed;
    lockstep_run(world, &d);
    return 0;
}
