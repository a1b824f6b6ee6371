#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""names.py KERNEL OUT - write OUT, assembly that holds the names of KERNEL's functions.

The kernel is linked twice: first without the table, from which this makes it, then with it. The
table lies behind all code, so no address changes. Its bytes, read by kernel/arch/x86_64/names.c,
are for each function, in the order of addresses:

    number      bytes from the function before it, of the first from the image's base
    byte        how many letters of its name are those of the name before it
    byte        how many letters follow, and the letters
    number      how many bytes of rows follow. A row is two numbers:
                  bytes of code from the row before it, of the first from the function's first
                    instruction
                  words on the stack from the stack pointer there to the caller's, or 0 where that
                    is not known

A number is 7 bits a byte, the least significant first; the last has bit 7 clear. Rows come from the
call frame information that the compiler writes into the debug data (.debug_frame); assembly has
none.
"""

import re
import subprocess
import sys

BASE = 0xffffffff80000000
NAME_MOST = 47      # letters: X86_NAME_BYTES of names.h without the zero

_SYMBOL = re.compile(r"^([0-9a-f]{16}) (?:([0-9a-f]{16}) )?([tT]) (\S+)$", re.MULTILINE)
_FDE = re.compile(r"\bFDE cie=\S+ pc=([0-9a-f]+)\.\.\.([0-9a-f]+)$")
_ROW = re.compile(r"^\s+0x([0-9a-f]+): CFA=(\w+)\+(\d+)")


def _tool(*command):
    ended = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True)
    return ended.stdout


def symbols(kernel):
    """address -> name of each function, and of each label in assembly that has a name
    of its own."""
    found = {}
    listed = [(int(address, 16), int(size or "0", 16), name)
              for address, size, _, name in _SYMBOL.findall(_tool("llvm-nm-19", "-S", kernel))]
    for address, size, name in sorted(listed, key=lambda s: (s[1] > 0, s[2])):
        # borders of sections are no code
        if address >= BASE and (size or not name.endswith(("_start", "_end"))):
            found[address] = name
    return found


def frames(kernel):
    """address -> [(offset, words)] of each function that has call frame information."""
    found, rows, begin = {}, [], 0
    for line in _tool("llvm-dwarfdump-19", "--debug-frame", kernel).splitlines():
        if m := _FDE.search(line):
            begin, rows = int(m[1], 16), []
            if begin >= BASE:       # else the linker left the function out
                found[begin] = rows
        elif begin and (m := _ROW.match(line)):
            words = int(m[3]) // 8 if m[2] == "RSP" else 0
            if not rows or rows[-1][1] != words:
                rows.append((int(m[1], 16) - begin, words))
    return found


def _number(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _same(a, b):
    n = 0
    while n < min(len(a), len(b)) and a[n] == b[n]:
        n += 1
    return n


def _rows(rows):
    out, last = bytearray(), 0
    for offset, words in rows:
        out += _number(offset - last) + _number(words)
        last = offset
    return bytes(out)


def table(kernel):
    """The bytes of the table."""
    out, last, before = bytearray(), BASE, ""
    rows = frames(kernel)
    for address, name in sorted(symbols(kernel).items()):
        name = name[:NAME_MOST]
        same = _same(before, name)
        packed = _rows(rows.get(address, []))
        out += _number(address - last) + bytes([same, len(name) - same]) + name[same:].encode()
        out += _number(len(packed)) + packed
        last, before = address, name
    return bytes(out)


def assembly(data):
    """A file for the assembler that puts `data` into the section .names."""
    lines = ["/* SPDX-License-Identifier: MIT */", "/* Made by scripts/names.py. */",
             '        .section .names, "a", @progbits']
    for i in range(0, len(data), 16):
        lines.append("        .byte   " + ", ".join(f"0x{b:02x}" for b in data[i:i + 16]))
    lines.append('        .section .note.GNU-stack, "", @progbits')
    return "\n".join(lines) + "\n"


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: names.py KERNEL OUT")
    with open(sys.argv[2], "w", encoding="ascii") as out:
        out.write(assembly(table(sys.argv[1])))


if __name__ == "__main__":
    main()
