# SPDX-License-Identifier: MIT
"""The kernel's memory at its panic, as an ELF core that gdb opens:

    gdb build/kozo.elf build/test-logs/.../memory.core

Only the memory that the kernel's image fills is written (5 MiB: code, all its state, stacks), at
the addresses where the kernel sees it; what users were given out of the rest is not in it.
"""

import json
import os
import socket
import struct
import tempfile
import threading
from pathlib import Path

NAME = "memory.core"
KEPT_MOST = 10      # in a run; then the first ones have told enough

_BLOCK = 1 << 16
_PT_LOAD = 1
_kept = 0
_lock = threading.Lock()


def image_range(kernel):
    """(physical address, bytes) of what a 64-bit ELF fills in memory, or None."""
    try:
        elf = Path(kernel).read_bytes()
    except OSError:
        return None
    if elf[:5] != b"\x7fELF\x02":
        return None
    start, = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    rows = [struct.unpack_from("<IIQQQQQ", elf, start + i * size) for i in range(count)]
    loads = [(physical, memsz) for kind, _, _, _, physical, _, memsz in rows if kind == _PT_LOAD]
    begin = min((physical for physical, _ in loads), default=0)
    end = max((physical + memsz for physical, memsz in loads), default=0)
    return (begin, end - begin) if end > begin else None


class Watch:
    """A monitor that hears of a panic and answers it with a dump;
    fed by whoever reads for the guest."""

    def __init__(self, kernel):
        self._range = image_range(kernel)
        self._socket, self._theirs = socket.socketpair()
        self._partial = b""
        self._folder = None
        self.path = None

    def arguments(self):
        """QEMU's, to stop at a panic and to tell of it."""
        return ["-device", "pvpanic", "-action", "panic=pause",
                "-chardev", f"socket,id=watch,fd={self._theirs.fileno()}",
                "-mon", "chardev=watch,mode=control"]

    def fds(self):
        """What QEMU inherits."""
        return (self._theirs.fileno(),)

    def started(self):
        """QEMU runs, or failed to."""
        self._theirs.close()
        self._say({"execute": "qmp_capabilities"})

    def fileno(self):
        return self._socket.fileno()

    def close(self):
        self._socket.close()

    def _say(self, *requests):
        try:
            self._socket.sendall(b"".join(json.dumps(r).encode() + b"\n" for r in requests))
        except OSError:
            pass        # QEMU has ended

    def take(self, data):
        """What QEMU said."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if said.get("event") == "GUEST_PANICKED":
                self._dump()
            elif said.get("id") == "dump" and "return" in said:
                self.path = Path(self._folder.name) / NAME

    def _dump(self):
        if self._range is None:
            self._say({"execute": "cont"})
            return
        self._folder = tempfile.TemporaryDirectory(prefix="kozo-core-", ignore_cleanup_errors=True)
        self._say({"execute": "dump-guest-memory", "id": "dump", "arguments": {
            "paging": True, "protocol": f"file:{Path(self._folder.name) / NAME}",
            "begin": self._range[0], "length": self._range[1]}}, {"execute": "cont"})


def keep(core, folder):
    """Copy `core` into `folder`, zeros as holes, unless this run has kept enough of them."""
    global _kept
    with _lock:
        if _kept == KEPT_MOST:
            return
        _kept += 1
    with open(core, "rb") as source, open(folder / NAME, "wb") as to:
        while block := source.read(_BLOCK):
            if any(block):
                to.write(block)
            else:
                to.seek(len(block), os.SEEK_CUR)
        to.truncate(source.tell())


def told(folder):
    """How to open the core kept in `folder`, in words; empty when there is none."""
    return f"memory: {Path(folder) / NAME}" if folder and (Path(folder) / NAME).exists() else ""
