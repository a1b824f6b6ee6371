# SPDX-License-Identifier: MIT
"""What llvm's tools tell of an ELF file."""

import re
import struct
import subprocess


def addresses(file):
    """name -> address of each symbol."""
    shown = subprocess.run(["llvm-nm-19", str(file)], capture_output=True, text=True,
                           check=True).stdout
    found = re.findall(r"^(\w+) \w (\S+)$", shown, re.MULTILINE)
    return {name: int(value, 16) for value, name in found}


def entry(file):
    """The address of an ELF64 file's first instruction."""
    return struct.unpack_from("<Q", file.read_bytes(), 24)[0]


def pvh_entry(kernel):
    """Where QEMU jumps to, from the Xen note."""
    shown = subprocess.run(["llvm-readelf-19", "-n", str(kernel)], capture_output=True, text=True,
                           check=True).stdout
    data = re.search(r"Xen.*?description data: ([0-9a-f ]+)", shown, re.DOTALL | re.IGNORECASE)
    return int.from_bytes(bytes.fromhex(data[1]), "little")


def _instructions(file, pattern):
    """The addresses of instructions whose text begins with `pattern`."""
    shown = subprocess.run(["llvm-objdump-19", "-d", "--no-show-raw-insn", str(file)],
                           capture_output=True, text=True, check=True).stdout
    found = re.finditer(rf"^\s*([0-9a-f]+):\s+{pattern}\b", shown, re.MULTILINE)
    return {int(m[1], 16) for m in found}


def counters(file):
    """Where its code reads the time stamp counter."""
    return _instructions(file, "rdtsc")


def repeats(file):
    """Where its code has string instructions that repeat."""
    return _instructions(file, "rep[a-z]*")
