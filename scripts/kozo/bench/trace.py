# SPDX-License-Identifier: MIT
"""Which instructions a row consists of.

The machine executes one instruction at a time and logs each. The guest stops the machine (pvpanic)
before and after one sample of each row; the log is on in between. The sample lies between the last
two RDTSC instructions of user code in that piece of the log.
"""

import bisect
import os
import re
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field

from kozo import bench
from kozo.bench import guest, symbols
from kozo.harness.vm import Vm

KERNEL = 0xffff800000000000
_STOP = ("-device", "pvpanic", "-action", "panic=pause")
_MARK = re.compile(r"# trace (begin|end) (\w+)$")
_TRACE = re.compile(r"Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]{16})/")


@dataclass
class Split:
    """The instructions of one sample."""
    kernel: int = 0
    user: int = 0
    by_function: Counter = field(default_factory=Counter)   # of the kernel's


def _executed(text, repeats):
    """The address of each instruction that was executed, in order.

    QEMU also logs what it then takes back: an access to a device, which it begins anew, follows
    itself, as otherwise only instructions in `repeats` do.
    """
    out = []
    for line in text.splitlines():
        if line.startswith("Stopped execution"):
            out.pop()       # the line before was not executed yet; it comes again
        elif m := _TRACE.match(line):
            address = int(m[1], 16)
            if not out or out[-1] != address or address in repeats:
                out.append(address)
    return out


class _Code:
    """What the addresses in a log are."""

    def __init__(self, tree):
        programs = [tree.root / name for name in guest.PROGRAMS if name.startswith("tests/")]
        self.counters = set().union(*map(symbols.counters, programs))
        self.repeats = set().union(*map(symbols.repeats, [tree.kernel, *programs]))
        # Of two symbols at one address the last is found: not the one that bounds a section.
        named = sorted((address, not name.endswith(("_start", "_end")), name)
                       for name, address in symbols.addresses(tree.kernel).items())
        self._addresses, self._names = [a for a, _, _ in named], [n for _, _, n in named]

    def function(self, address):
        """The function of the kernel that holds `address`; in assembly, the label before it."""
        return self._names[bisect.bisect_right(self._addresses, address) - 1]


def _split(text, code):
    """The sample in a piece of the log."""
    steps = _executed(text, code.repeats)
    at = [i for i, address in enumerate(steps) if address in code.counters]
    split = Split()
    if len(at) < 2:
        return split
    for address in steps[at[-2] + 1:at[-1]]:
        if address >= KERNEL:
            split.kernel += 1
            split.by_function[code.function(address)] += 1
        else:
            split.user += 1
    return split


class _Tracer:
    """Drives one guest from stop to stop."""

    def __init__(self, vm, log, code):
        self._vm, self._log, self._code = vm, log, code
        self._begun = {}
        self._seen = 0
        self.splits = {}

    def _monitor(self, line):
        self._vm.qmp("human-monitor-command", **{"command-line": line})

    def _mark(self):
        """The mark that the guest wrote before it stopped."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            lines = self._vm.tap_lines[self._seen:]
            for i, (_, text) in enumerate(lines):
                if m := _MARK.match(text):
                    self._seen += i + 1
                    return m[1], m[2]
            time.sleep(0.002)
        raise guest.GuestFailed("the machine stopped without a mark")

    def _piece(self, begin):
        with open(self._log, encoding="ascii", errors="replace") as f:
            f.seek(begin)
            return f.read()

    def _stopped(self):
        what, name = self._mark()
        if what == "begin":
            self._begun[name] = os.path.getsize(self._log)
        else:
            self.splits[name] = _split(self._piece(self._begun.pop(name)), self._code)
        self._monitor("log exec,nochain" if self._begun else "log none")
        self._vm.qmp("cont")

    def run(self):
        while self._vm.process.poll() is None:
            try:
                status = self._vm.qmp("query-status")["status"]
            except Exception:   # noqa: BLE001 - it ended: finish() says how
                break
            if status != "running":
                self._stopped()
            else:
                time.sleep(0.002)


def run(tree, names):
    """name -> Split of each row that the guest measures."""
    with guest.archive(tree) as initrd, tempfile.TemporaryDirectory(prefix="kozo-trace-") as folder:
        log = os.path.join(folder, "log")
        open(log, "w").close()
        extra = (*bench.ICOUNT, "-singlestep", "-D", log, *_STOP)
        machine = bench.machine(tree.kernel, initrd, guest.command_line(names, "kozo.trace"), extra)
        with Vm(machine, guest.SECONDS, guest.SERIAL2, core=False) as vm:
            tracer = _Tracer(vm, log, _Code(tree))
            tracer.run()
            guest.finish(vm)
            return tracer.splits
