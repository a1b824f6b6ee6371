# SPDX-License-Identifier: MIT
"""Counting instructions: what ./kozo bench and the suite `bench` are made of.

    rows      the operations, their bounds, what they are compared with
    guest     boots the benchmark program and reads its lines
    trace     which instructions, of kernel and user, a row consists of
    milestones   how many instructions the boot takes up to a place in the code
    image     bytes and source lines of the kernel
    scale     the same operations with many threads, capabilities and processes
    wall      the same operations in real time, as ratios
    collect   all of it, as one list of results
    report    what `ninja report` writes
    document  the JSON form, comparisons, the accepted figures
    table     the text a person reads

The machine is always the same (MACHINE): TCG with -icount shift=0, where RDTSC tells the number of
instructions executed, so every run gives the same figures.
"""

from kozo import qemu

CPU, MEMORY = "max", "512"
ICOUNT = ("-icount", "shift=0,sleep=off")


def machine(kernel, initrd, append, extra=(), memory=MEMORY):
    """The machine on which everything is counted."""
    return qemu.Machine(kernel, initrd, append, cpu=CPU, memory=memory, machine="pc",
                        extra=tuple(extra))
