# SPDX-License-Identifier: MIT
"""On which machines each test program of tests/smoke/guest/ boots.

A program that is not named here boots once, on the usual machine. A row is a dict with any of:

    cpu, memory, machine, bios    as QEMU knows them (usual: qemu64, 256M, pc, SeaBIOS)
    append                        more of the kernel command line
    extra                         more QEMU arguments, a tuple
    seconds                       time limit (usual: 60)
    variant                       a word for the report, where the above do not tell rows apart
"""

BOOTS = {
    "rogue": [],    # a service: test_demo.py puts it into the manifest
}
