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


NMIS = 500      # for each test on each model, over as many boots as it takes


def bombard_once(boot, program):
    """Boot `program` and send NMIs until it ends, well; how many were sent."""
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
    return sent


def bombard(boot, program, ticks=True):
    """The kernel says at its next timer interrupt that NMIs came, where the program has `ticks`."""
    sent = 0
    for _ in range(60):
        sent += bombard_once(boot, program)
        if sent >= NMIS:
            break
    assert sent >= NMIS, f"only {sent} NMIs were sent"
    taken = [vm for vm in boot.guests if re.search(r"^nmi: \d+ so far", vm.text, re.MULTILINE)]
    assert taken or not ticks, "no NMI arrived"


@limit(120)
@on(cpu=("qemu64", "max"))
def test_nmis_during_messages(boot):
    bombard(boot, "ipc")


@limit(120)
@on(cpu=("qemu64", "max"))
def test_nmis_during_faults(boot):
    bombard(boot, "faults")


@limit(120)
@on(cpu=("qemu64", "max"))
def test_nmis_while_registers_are_watched(boot):
    bombard(boot, "registers")


@limit(120)
@on(cpu=("qemu64", "max"))
def test_nmis_with_any_stack_flags_and_segments(boot):
    bombard(boot, "hostile-entry")


@limit(120)
@on(cpu=("qemu64", "max"))
def test_nmis_during_exceptions(boot):
    bombard(boot, "hostile-exceptions", ticks=False)


@limit(120)
@on(cpu=("qemu64", "max"))
def test_nmis_during_far_transfers_and_returns(boot):
    bombard(boot, "hostile-transfers", ticks=False)
