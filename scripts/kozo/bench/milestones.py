# SPDX-License-Identifier: MIT
"""How many instructions the boot of the default archive takes up to places in the code.

QEMU records the run (rr=record), because then its monitor tells how many instructions have been
executed, idle time apart; breakpoints are set through its gdb server, by the packets themselves.
A machine that is stopped sees its clocks jump ahead: so a boot whose waiting is counted must not be
stopped before the waiting is over, and each figure has a boot of its own.
"""

import re
import socket
import struct
import tempfile
import time
from contextlib import contextmanager

from kozo import bench
from kozo.bench import symbols
from kozo.bench.guest import GuestFailed
from kozo.harness.vm import Vm

SECONDS = 60.0
_RSP, _RIP = 7, 16     # gdb's numbers of registers


class _Gdb:
    """The client's half of gdb's remote protocol, as much of it as is needed."""

    def __init__(self, stream):
        stream.settimeout(SECONDS)
        self._stream, self._buffer = stream, b""

    def _send(self, packet):
        self._stream.sendall(b"$%s#%02x" % (packet, sum(packet) & 0xff))

    def _receive(self):
        while not (m := re.search(rb"\$([^#]*)#..", self._buffer)):
            data = self._stream.recv(4096)
            if not data:
                raise GuestFailed("the guest ended before it reached a breakpoint")
            self._buffer += data
        self._buffer = self._buffer[m.end():]
        self._stream.sendall(b"+")
        return m[1]

    def ask(self, packet):
        self._send(packet)
        return self._receive()

    def _breakpoint(self, letter, address):
        if self.ask(b"%s1,%x,1" % (letter, address)) != b"OK":
            raise GuestFailed(f"no breakpoint at {address:#x}")

    def run_to(self, *addresses):
        """Run until one of these is about to be executed; which."""
        for address in addresses:
            self._breakpoint(b"Z", address)
        self.ask(b"c")
        for address in addresses:
            self._breakpoint(b"z", address)
        return self.register(_RIP)

    def step(self):
        self.ask(b"s")

    def register(self, number):
        everything = bytes.fromhex(self.ask(b"g").decode())
        return struct.unpack_from("<Q", everything, 8 * number)[0]

    def word_at(self, address):
        return int.from_bytes(bytes.fromhex(self.ask(b"m%x,8" % address).decode()), "little")


class _Boot:
    """A boot that is being watched."""

    def __init__(self, vm, gdb):
        self._vm, self._gdb = vm, gdb

    def count(self):
        """Instructions executed so far."""
        said = self._vm.qmp("human-monitor-command", **{"command-line": "info replay"})
        return int(re.search(r"instruction count = (\d+)", said)[1])

    def reach(self, *addresses):
        """Run until one of these is about to be executed; which, and the count."""
        return self._gdb.run_to(*addresses), self.count()

    def return_address(self):
        """Of the function that has just been entered."""
        return self._gdb.word_at(self._gdb.register(_RSP))

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
        except GuestFailed:
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


def _connect(path):
    """The gdb server, which listens soon after QEMU starts."""
    until = time.monotonic() + 10
    while True:
        stream = socket.socket(socket.AF_UNIX)
        try:
            stream.connect(path)
            return stream
        except OSError:
            stream.close()
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


@contextmanager
def _boot(tree):
    """A boot of the default archive, stopped before its first instruction."""
    with tempfile.TemporaryDirectory(prefix="kozo-boot-") as folder:
        extra = ["-icount", f"{bench.ICOUNT[1]},rr=record,rrfile={folder}/record", "-S",
                 "-chardev", f"socket,id=gdb,path={folder}/gdb,server=on,wait=off", "-gdb", "chardev:gdb"]
        machine = bench.machine(tree.kernel, tree.initrd, 'kozo.run="poweroff"', extra)
        with Vm(machine, SECONDS) as vm, _connect(f"{folder}/gdb") as stream:
            yield _Boot(vm, _Gdb(stream))
