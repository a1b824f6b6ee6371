# SPDX-License-Identifier: MIT
"""How many instructions the boot of the default archive takes up to places in the code.

QEMU records the run (rr=record), because then its monitor tells how many instructions have been
executed, idle time apart; breakpoints are set through its gdb server, by the packets themselves.
A machine that is stopped sees its clocks jump ahead: so a boot whose waiting is counted must not be
stopped before the waiting is over, and each figure has a boot of its own.
"""

import re
import tempfile
from contextlib import contextmanager

from kozo import bench
from kozo.bench import symbols
from kozo.harness import gdb
from kozo.harness.vm import Vm

SECONDS = 60.0


class _Boot:
    """A boot that is being watched."""

    def __init__(self, vm, client):
        self._vm, self._gdb = vm, client

    def count(self):
        """Instructions executed so far."""
        said = self._vm.qmp("human-monitor-command", **{"command-line": "info replay"})
        return int(re.search(r"instruction count = (\d+)", said)[1])

    def reach(self, *addresses):
        """Run until one of these is about to be executed; which, and the count."""
        return self._gdb.run_to(*addresses), self.count()

    def return_address(self):
        """Of the function that has just been entered."""
        return self._gdb.word_at(self._gdb.register(gdb.RSP))

    def console(self):
        return self._vm.text

    def step(self):
        self._gdb.step()


class _Places:
    """Addresses in the code that was built."""

    def __init__(self, tree):
        kernel, init = symbols.addresses(tree.kernel), symbols.addresses(tree.root / "bin" / "init")
        self.entry = symbols.pvh_entry(tree.kernel)
        self.clock_start, self.clock_settle = kernel["clock_start"], kernel["x86_clock_settle"]
        self.init = symbols.entry(tree.root / "bin" / "init")
        self.power_off = init["power_off"]


def _sampling(boot, at):
    """(instructions of the first sample, count when the second is begun, where that returns to)."""
    _, begin = boot.reach(at.clock_start)
    _, end = boot.reach(boot.return_address())
    _, settle = boot.reach(at.clock_settle)
    return end - begin, settle, boot.return_address()


def _ready(boot, at):
    """Count when init, having said READY, turns the machine off.

    Other programs have code at that address too. What was said may still be on its way when the
    guest stops there: then the guest's end tells that the last time was the right one.
    """
    count = None
    while True:
        try:
            _, count = boot.reach(at.power_off)
            if "KOZO READY" in boot.console():
                return count
            boot.step()
        except gdb.Ended:
            if count is None or "KOZO READY" not in boot.console():
                raise
            return count


def run(tree):
    """name -> count, of the rows of the boot."""
    at = _Places(tree)
    with _boot(tree) as boot:
        _, entry = boot.reach(at.entry)
        first_sample, settle, settled_at = _sampling(boot, at)
    with _boot(tree) as boot:
        boot.reach(at.entry)
        calibration = first_sample + boot.reach(settled_at)[1] - settle
        to_init = boot.reach(at.init)[1] - entry - calibration
    with _boot(tree) as boot:
        boot.reach(at.entry)
        to_ready = _ready(boot, at) - entry
    return {"boot_to_init": to_init, "boot_to_ready": to_ready, "timer_calibration": calibration}


@contextmanager
def _boot(tree):
    """A boot of the default archive, stopped before its first instruction."""
    with tempfile.TemporaryDirectory(prefix="kozo-boot-") as folder:
        extra = ["-icount", f"{bench.ICOUNT[1]},rr=record,rrfile={folder}/record", "-S",
                 *gdb.arguments(f"{folder}/gdb")]
        machine = bench.machine(tree.kernel, tree.initrd, 'kozo.run="poweroff"', extra)
        with Vm(machine, SECONDS, core=False) as vm, gdb.connect(f"{folder}/gdb") as client:
            yield _Boot(vm, client)
