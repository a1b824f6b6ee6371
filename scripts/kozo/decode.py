# SPDX-License-Identifier: MIT
"""Files and lines for the addresses in a boot log.

What is understood:

    #1 0xffffffff801187d6 kernel_fault+0x6      a kernel's backtrace; behind a line
    #0 0x0000000000401234 parse+0x1c            `KOZO FAULT service NAME` a service's,
                                                `KOZO FAULT program NAME` a program's
    ip 0x401234, rip 0000000000401234           where something stopped
    thread 7 (NAME) stopped: page fault at 401234

A name is a service's or a program's: its debug data are those of bin/NAME in the build folder. The
kernel keeps eight letters of it. A line is kept as it is; what was found follows it, inlined
functions in lines of their own.
"""

import re
import subprocess

from kozo.errors import EnvironmentProblem

KERNEL = 0xffff800000000000
NAME_LETTERS = 8
SYMBOLIZER = "llvm-symbolizer-19"

_FRAME = re.compile(r"#(\d+|\?)\s+0x([0-9a-f]{1,16})\b(?:\s+([\w.$]+)\+0x[0-9a-f]+)?")
_IP = re.compile(r"\br?ip (?:0x)?([0-9a-f]{1,16})\b")
_STOPPED = re.compile(r"^thread \d+ \((\S+)\) stopped: .*? at ([0-9a-f]+),")
_SERVICE = re.compile(r"\bKOZO FAULT (?:service|program) (?:/?bin/)?([\w.-]+)|"
                      r"^current thread: ([\w.-]+),")
_PANIC = re.compile(r"^kernel panic: ")
_EXCEPTION = re.compile(r"^kernel panic: .* in the kernel: vector ")


class Decoder:
    """Reads a log line by line; finds programs in the build folder `tree`."""

    def __init__(self, tree):
        self._tree = tree
        self._program = None        # whose addresses below the kernel's are
        self._called = False        # the kernel's frame #0 is behind a call
        self._known = {}
        self.found = 0
        self.other_build = None     # a line that the kernel here cannot have printed

    def _file(self, address):
        """The file with the code at `address`, or None."""
        if address >= KERNEL:
            return self._tree.kernel
        if self._program is None:
            return None
        exact = self._tree.root / "bin" / self._program
        if exact.is_file() or len(self._program) != NAME_LETTERS or not exact.parent.is_dir():
            return exact
        longer = sorted(f for f in exact.parent.iterdir() if f.name.startswith(self._program))
        return longer[0] if len(longer) == 1 else exact

    def _places(self, address):
        """[(function, file:line)] of the code at `address`, the innermost first."""
        file = self._file(address)
        if file is None or not file.is_file():
            return []
        if (file, address) not in self._known:
            self._known[file, address] = _symbolize(file, address)
        return self._known[file, address]

    def _address(self, line):
        """(address to look for, the function's name in the line) or None."""
        if m := _FRAME.search(line):
            address = int(m[2], 16)
            first = m[1] == "0" and not (address >= KERNEL and self._called)
            return address - (not first), m[3]
        if m := _STOPPED.search(line):
            self._program = m[1]
            return int(m[2], 16), None
        m = _IP.search(line)
        return (int(m[1], 16), None) if m else None

    def _look(self, line):
        """Take note of what the lines to come are about."""
        if _PANIC.search(line):
            self._called = not _EXCEPTION.search(line)
        if m := _SERVICE.search(line):
            self._program = m[1] or m[2]

    def line(self, line):
        """The lines to print for one of the log's."""
        self._look(line)
        asked = self._address(line)
        places = self._places(asked[0]) if asked else []
        if not places:
            return [line]
        self.found += 1
        if asked[1] not in (None, places[-1][0]) and asked[0] >= KERNEL:
            self.other_build = line.strip()
        inner = "" if places[0][0] == asked[1] else f" in {places[0][0]}"
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        return [f"{line.rstrip()}{inner} at {places[0][1]}",
                *(f"{indent}inlined into {name} at {at}" for name, at in places[1:])]


def _symbolize(file, address):
    try:
        done = subprocess.run([SYMBOLIZER, f"--obj={file}", "--inlines", f"0x{address:x}"],
                              text=True, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except FileNotFoundError as e:
        raise EnvironmentProblem(f"{SYMBOLIZER} is missing: run ./kozo setup") from e
    lines = done.stdout.strip().splitlines()
    # file:line:column; line 0 is one that the compiler does not know
    places = [(name, at.rsplit(":", 1)[0].removeprefix("./").removesuffix(":0"))
              for name, at in zip(lines[::2], lines[1::2])]
    return [p for p in places if not p[1].startswith("??")]


def text(log, tree):
    """A whole log, decoded; as it is where nothing is known of it."""
    decoder = Decoder(tree)
    return "\n".join(new for line in log.split("\n") for new in decoder.line(line))
