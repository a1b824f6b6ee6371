# SPDX-License-Identifier: MIT
"""The client's half of gdb's remote protocol.

As much of it as is needed to stop a guest and change it.

    with vm, gdb.connect(path) as client:       the guest was started with *gdb.arguments(path)
        client.run_to(address)
        client.set_register(gdb.RSP, 0)
        client.let_go()
"""

import re
import socket
import struct
import time
from contextlib import contextmanager

SECONDS = 60.0
RSP, RIP = 7, 16        # gdb's numbers of registers
_ARGUMENTS = (5, 4, 3)  # rdi rsi rdx


class Ended(Exception):
    """The guest ended before it reached a breakpoint."""


def arguments(path):
    """QEMU's, for a server on the socket `path`."""
    return ["-chardev", f"socket,id=gdb,path={path},server=on,wait=off", "-gdb", "chardev:gdb"]


class Client:
    """A guest that is stopped, but for `run_to` and after `let_go`."""

    def __init__(self, stream):
        stream.settimeout(SECONDS)
        self._stream, self._buffer = stream, b""

    def _send(self, packet):
        self._stream.sendall(b"$%s#%02x" % (packet, sum(packet) & 0xff))

    def _receive(self):
        while not (m := re.search(rb"\$([^#]*)#..", self._buffer)):
            data = self._stream.recv(4096)
            if not data:
                raise Ended("the guest ended before it reached a breakpoint")
            self._buffer += data
        self._buffer = self._buffer[m.end():]
        self._stream.sendall(b"+")
        return m[1]

    def ask(self, packet):
        self._send(packet)
        return self._receive()

    def _done(self, packet, what):
        if self.ask(packet) != b"OK":
            raise Ended(f"QEMU refuses: {what}")

    def _breakpoint(self, letter, address):
        self._done(b"%s1,%x,1" % (letter, address), f"a breakpoint at {address:#x}")

    def run_to(self, *addresses):
        """Run until one of these is about to be executed; which."""
        for address in addresses:
            self._breakpoint(b"Z", address)
        self.ask(b"c")
        for address in addresses:
            self._breakpoint(b"z", address)
        return self.register(RIP)

    def let_go(self):
        """Run on, and no longer look."""
        self._send(b"D")

    def step(self):
        self.ask(b"s")

    def register(self, number):
        everything = bytes.fromhex(self.ask(b"g").decode())
        return struct.unpack_from("<Q", everything, 8 * number)[0]

    def set_register(self, number, value):
        everything = bytearray.fromhex(self.ask(b"g").decode())
        struct.pack_into("<Q", everything, 8 * number, value)
        self._done(b"G" + bytes(everything).hex().encode(), f"register {number}")

    def call(self, function, *arguments):
        """Call a function of the kernel, in which the guest is stopped, and be where it was."""
        before = self.ask(b"g")
        back, sp = self.register(RIP), self.register(RSP) - 256 & -16
        self.set_word(sp - 8, back)
        for number, value in [(RSP, sp - 8), (RIP, function), *zip(_ARGUMENTS, arguments)]:
            self.set_register(number, value)
        self.run_to(back)
        self._done(b"G" + before, "the registers as they were")

    def word_at(self, address):
        return int.from_bytes(bytes.fromhex(self.ask(b"m%x,8" % address).decode()), "little")

    def set_word(self, address, value):
        self._done(b"M%x,8:%s" % (address, value.to_bytes(8, "little").hex().encode()),
                   f"memory at {address:#x}")


def _reach(path):
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
def connect(path):
    """A Client of the server on the socket `path`."""
    with _reach(path) as stream:
        yield Client(stream)
