# SPDX-License-Identifier: MIT
"""On which machines each test program of tests/smoke/guest/ boots.

A program that is not named here boots once, on the usual machine. A row is a dict with any of:

    cpu, memory, machine, bios    as QEMU knows them (usual: qemu64, 256M, pc, SeaBIOS)
    append                        more of the kernel command line
    extra                         more QEMU arguments, a tuple
    seconds                       time limit (usual: 60)
    kernel                        another than kozo.elf, a path in the build folder
    variant                       a word for the report, where the above do not tell rows apart
"""

_USUAL = {}
_MAX = {"cpu": "max"}                           # SMEP, SMAP, UMIP, RDRAND
_Q35 = {"machine": "q35"}
_QBOOT = {"bios": "qboot.rom"}                  # no ACPI tables but what QEMU itself makes
_SMALL = {"memory": "64M"}
_LARGE = {"memory": "8G"}                       # memory on both sides of the hole below 4 GiB
_NO_HPET = {"machine": "pc,hpet=off"}           # the clock is measured by the ACPI PM timer,
_NO_ACPI = {"machine": "pc,hpet=off,acpi=off"}  # or by the PIT
# An interrupt may come between any two instructions; a second processor stays asleep.
_STEPS = {"extra": ("-singlestep",), "variant": "singlestep"}
_CPUS2 = {"extra": ("-smp", "2"), "variant": "smp2"}
# The same kernel without its fast path: whatever concerns IPC must not tell the difference.
_SLOW = {"kernel": "tests/slow/kozo-slow.elf", "variant": "slow path"}

BOOTS = {
    "audit": [_USUAL, _SLOW],
    "binder": [],   # a service: test_supervise.py puts it into the manifest
    "caps": [_USUAL, _MAX],
    "deep": [],     # a service: test_stacks.py puts it into the manifest
    "devices": [_USUAL, _Q35, _QBOOT, _NO_ACPI, _CPUS2],
    "doomed": [],   # not a test program: test_boot.py boots it
    "faults": [_USUAL, _MAX, _STEPS, _SLOW],
    "files": [_USUAL, _SLOW],
    "first": [_USUAL, _MAX, _Q35, _QBOOT, {**_Q35, **_QBOOT}, _SMALL, _LARGE, {**_Q35, **_LARGE},
              _CPUS2],
    "foreign": [_USUAL, _MAX, _SLOW],
    "grabber": [],  # a program: test_programs.py runs it
    "greedy": [],   # a service: test_supervise.py puts it into the manifest
    "halfway": [],  # a program: test_programs.py runs it
    "ipc": [_USUAL, _MAX, _STEPS, _SLOW],
    "isolation": [_USUAL, _MAX, _LARGE],
    "tangle": [],   # a program: test_views.py has the shell start it
    "knot": [],     # a service: test_shell.py puts it into the manifest
    "lender": [],   # a service: test_consent.py puts it into the manifest
    "memory": [_USUAL, _SMALL, _LARGE],
    "narrower": [], # a service: test_leases.py puts it into the manifest
    "notify": [_USUAL, _SLOW],
    "petitioner": [],   # a service: test_consent.py puts it into the manifest
    "registers": [_USUAL, _MAX, _STEPS, _SLOW],
    "reply": [_USUAL, _SLOW],
    "ring": [_USUAL, _SLOW],
    "rogue": [],    # a service: test_demo.py puts it into the manifest
    "scribbler": [],    # a service: test_shell.py puts it into the manifest
    "sched": [_USUAL, _Q35, _SLOW],
    "scribe": [],   # a service: test_ram.py puts it into the manifest
    "slice": [_USUAL, _SLOW],
    "space": [_USUAL, _MAX, _LARGE],
    "threads": [_USUAL, _SMALL],
    "time": [_USUAL, _MAX, _Q35, _QBOOT, _NO_HPET, _NO_ACPI],
    "transfer": [_USUAL, _SLOW],
    "trickle": [],  # a program: test_programs.py runs it
    "twosides": [], # test_twosides.py boots it
    "victim": [],   # a service: test_supervise.py puts it into the manifest
    "warden": [],   # a service: test_supervise.py puts it into the manifest
}
