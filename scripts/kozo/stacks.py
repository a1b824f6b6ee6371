# SPDX-License-Identifier: MIT
"""How much of each thread's stack was never used, read out of a guest's memory.

Threads paint their stacks before they do anything else (kozo/stack.h), and the kernel its own at
boot: what still holds the paint, from the far end on, was never written. The thread control blocks
tell where stacks are: each is the mapped pages around a thread's stack pointer.
"""

import mmap
import re
import struct
import subprocess
import tempfile
from dataclasses import dataclass

from kozo.bench import symbols

PAGE = 4096
KERNEL_STACKS = ("cpu", "nmi", "debug", "double", "machine")
# X86_STACK_PAINT of kernel/arch/x86_64/stacks.h, KOZO_STACK_PAINT of sys/include/kozo/stack.h.
_KERNEL_PAINT = struct.pack("<Q", 0x6b6f7a6f6b6f7a6f)
_PAINT = struct.pack("<Q", 0x2d2d646573756e75)
_PRESENT, _USER, _LARGE = 1, 4, 128
_FRAME = 0x000f_ffff_ffff_f000
_MEMBER = re.compile(r'DW_AT_name\s+\("(\w+)"\)|DW_AT_data_member_location\s+\((0x[0-9a-f]+)\)')


@dataclass(frozen=True)
class Stack:
    """One thread's: sizes in bytes."""
    name: str
    serial: int
    size: int
    unused: int


def members(file, structure):
    """member -> offset in a structure of an ELF file with debug data."""
    shown = subprocess.run(["llvm-dwarfdump-19", f"--name={structure}", "--show-children",
                            str(file)], capture_output=True, text=True, check=True).stdout
    found, depth = {}, None
    for entry in shown.split("\n\n"):
        tag = re.search(r"^0x[0-9a-f]+:( +)DW_TAG_(\w+)", entry)
        told = dict(_pair(m) for m in _MEMBER.finditer(entry))
        if tag and tag[2] == "structure_type" and told.get("name") == structure and not found:
            depth = len(tag[1]) + 2     # of its own members; those of members are further in
        elif tag and tag[2] == "member" and len(tag[1]) == depth and "name" in told:
            found.setdefault(told["name"], int(told.get("at", "0"), 16))
    return found


def _pair(m):
    return ("name", m[1]) if m[1] else ("at", m[2])


def painted(data, paint):
    """How many bytes at the beginning still hold the paint."""
    n = 0
    while data.startswith(paint, n):
        n += len(paint)
    return n


class Memory:
    """A guest's physical memory, and what the kernel's structures in it say."""

    def __init__(self, ram, kernel):
        self._ram = ram
        self._at = at = symbols.addresses(kernel)
        self._base = at["BASE"]
        self._tcb, self._size = members(kernel, "tcb"), _size_of(kernel, "tcb")
        self._rsp = members(kernel, "frame")["rsp"]
        self._tcbs = at["kernel"] + members(kernel, "kernel")["tcbs"] - self._base
        self._end = at["kernel"] + _size_of(kernel, "kernel") - self._base

    def _word(self, physical):
        return struct.unpack_from("<Q", self._ram, physical)[0]

    def _page(self, root, address):
        """Physical address of the user's page at `address`, or None."""
        table = root
        for shift in (39, 30, 21, 12):
            entry = self._word((table & _FRAME) + 8 * (address >> shift & 511))
            if not entry & _PRESENT or not entry & _USER:
                return None
            if shift == 12:
                return entry & _FRAME
            if entry & _LARGE:
                inside = (1 << shift) - 1
                return (entry & _FRAME & ~inside) + (address & inside & ~(PAGE - 1))
            table = entry
        return None

    def _around(self, root, address):
        """Physical pages of the stack around `address`, the far end first."""
        pages, at = [], address & ~(PAGE - 1)
        while (page := self._page(root, at)) is not None:
            pages.insert(0, page)
            at -= PAGE
        at = (address & ~(PAGE - 1)) + PAGE
        while pages and (page := self._page(root, at)) is not None:
            pages.append(page)
            at += PAGE
        return pages

    def _threads(self):
        for at in range(self._tcbs, self._end - self._size + 1, self._size):
            serial, root = self._word(at + self._tcb["serial"]), self._word(at + self._tcb["root"])
            if self._ram[at + self._tcb["state"]] != 0 and root != 0:
                begin = at + self._tcb["name"]
                name = bytes(self._ram[begin:begin + 8]).rstrip(b"\0").decode("ascii", "replace")
                yield name, serial, root, self._word(at + self._rsp)

    def stacks(self):
        """The Stack of each thread that has one, by serial number."""
        found = []
        for name, serial, root, sp in self._threads():
            pages = self._around(root, sp - 1) if sp else []
            data = b"".join(bytes(self._ram[p:p + PAGE]) for p in pages)
            if data:
                unused = painted(data, _PAINT) if any(data) else len(data)
                found.append(Stack(name, serial, len(data), unused))
        return sorted(found, key=lambda s: s.serial)

    def kernel_stacks(self):
        """The Stack of each that the kernel's own code runs on; they are painted at boot."""
        found = []
        for name in KERNEL_STACKS:
            begin = self._at[f"x86_guard_{name}"] + PAGE - self._base
            data = bytes(self._ram[begin:self._at[f"x86_stack_{name}"] - self._base])
            found.append(Stack(name, 0, len(data), painted(data, _KERNEL_PAINT)))
        return found


def _size_of(file, structure):
    shown = subprocess.run(["llvm-dwarfdump-19", f"--name={structure}", str(file)],
                           capture_output=True, text=True, check=True).stdout
    found = re.search(r"DW_TAG_structure_type[^)]*\)\s+DW_AT_byte_size\s+\((0x[0-9a-f]+)\)", shown)
    return int(found[1], 16)


def of(vm, kernel, ram_bytes):
    """(threads' stacks, the kernel's) of a running guest, which is stopped meanwhile.

    It has `ram_bytes` of memory, all below 3 GiB.
    """
    with tempfile.NamedTemporaryFile(prefix="kozo-ram-") as file:
        vm.qmp("stop")
        vm.qmp("pmemsave", val=0, size=ram_bytes, filename=file.name)
        vm.qmp("cont")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as ram:
            memory = Memory(ram, kernel)
            return memory.stacks(), memory.kernel_stacks()
