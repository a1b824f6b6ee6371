# SPDX-License-Identifier: MIT
"""Bytes and source lines of the kernel."""

from collections import Counter

from kozo import paths
from kozo.bench import symbols

_SUFFIXES = (".c", ".h", ".S", ".def", ".ld")
_OTHER_PORT = "arch/host"


def resident(kernel):
    """Bytes of text and of read-only data that stay after boot."""
    at = symbols.addresses(kernel)
    return {"text": at["x86_text_end"] - at["x86_text_start"],
            "rodata": at["x86_rodata_end"] - at["x86_text_end"]}


def code_lines(text):
    """Lines of C or assembly that hold something but comments and blanks."""
    count, inside = 0, False
    for line in text.splitlines():
        code = ""
        while line:
            if inside:
                _, end, line = line.partition("*/")
                inside = not end
            else:
                before, begin, line = line.partition("/*")
                code += before
                inside = bool(begin)
        code = code.split("//")[0] if "://" not in code else code
        count += bool(code.strip())
    return count


def _room(file, root):
    """The folder below the kernel that a file belongs to."""
    parts = file.relative_to(root).parts
    if parts[0] != "kernel":
        return "/".join(parts[:2])
    if parts[1] == "arch":
        return "kernel/arch" if len(parts) == 3 else "/".join(parts[:3])
    return "kernel" if len(parts) == 2 else "/".join(parts[:2])


def lines_by_room(root=paths.SOURCE):
    """room -> lines of code, of all files that kozo.elf is built from, the shared ABI included."""
    rooms = Counter()
    for folder in ("kernel", "sys/abi"):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in _SUFFIXES and _OTHER_PORT not in file.as_posix():
                rooms[_room(file, root)] += code_lines(file.read_text(errors="replace"))
    return dict(rooms)


def run(tree):
    """name -> value, of the rows of the image."""
    return {"resident_bytes": sum(resident(tree.kernel).values()),
            "kernel_lines": sum(lines_by_room().values())}
