# SPDX-License-Identifier: MIT
"""Interrupts that nothing masks, by the thousand, in programs that look at every register.

Under -singlestep an NMI can land between any two instructions of entry, exit and fast path. The
programs are those of the smoke and hostile suites: each says afterwards whether anything changed.
"""

import re

from kozo.harness.scripted import limit, on
from kozo.harness import verdict
from kozo.harness.vm import GuestError

STEPS = ("-singlestep",)


def bombard(boot, program, least):
    """Boot `program`, send NMIs until it ends well, and hold the kernel to having taken some."""
    sent = 0
    with boot.start(append=f"kozo.init=bin/{program}", extra=STEPS) as vm:
        vm.wait_for("^clock: ")     # the IDT is loaded; before, an NMI ends any machine
        try:
            while True:
                vm.qmp("inject-nmi")
                sent += 1
        except GuestError:
            status = vm.wait()      # it has ended, or QEMU would have answered
        tap = verdict.read_tap(vm.tap_lines)
        problem = verdict.guest_problem(vm, status, tap)
        failed = [p.name for p in tap.points if not p.ok]
        assert not problem and not failed, f"after {sent} NMIs: {problem} {failed}"
        assert "KOZO PANIC" not in vm.text
        assert re.search(r"^nmi: \d+ so far", vm.text, re.MULTILINE), "no NMI arrived"
    assert sent >= least, f"only {sent} NMIs were sent"


@limit(120)
@on(cpu=("qemu64", "max"))
def test_nmis_during_messages(boot):
    bombard(boot, "ipc", 100)


@limit(120)
def test_nmis_during_faults(boot):
    bombard(boot, "faults", 100)


@limit(120)
def test_nmis_while_registers_are_watched(boot):
    bombard(boot, "registers", 100)


@limit(120)
@on(cpu=("qemu64", "max"))
def test_nmis_with_any_stack_flags_and_segments(boot):
    bombard(boot, "hostile-entry", 100)


@limit(120)
def test_nmis_during_exceptions(boot):
    bombard(boot, "hostile-exceptions", 100)
