# SPDX-License-Identifier: MIT
"""The kernel's command line, as sys/abi/kozo/cmdline.h reads it.

Words are parted by blanks or tabs. Between two double quotes blanks are part of the word, `\\"`
stands for `"` and `\\\\` for `\\`.
"""

import os

from kozo.errors import UsageProblem

MOST = 1023     # KOZO_CMDLINE_BYTES, without the NUL

_PLAIN, _QUOTED, _ESCAPED = range(3)


def _after(place, c):
    """Where the character after `c` stands."""
    if place == _ESCAPED:
        return _QUOTED
    if c == '"':
        return _QUOTED if place == _PLAIN else _PLAIN
    return _ESCAPED if place == _QUOTED and c == "\\" else place


def words(line):
    """The words of a line, as they stand in it, and whether each double quote is closed."""
    place, found, word = _PLAIN, [], ""
    for c in line:
        if place == _PLAIN and c in " \t":
            found += [word] if word else []
            word = ""
        else:
            word += c
            place = _after(place, c)
    return found + ([word] if word else []), place == _PLAIN


def word(name, value):
    """`name="value"`, as one word that is read as just this value."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'


def commands(text):
    """The word that makes the shell run `text`: what --exec stands for."""
    for i, c in enumerate(text):
        if c != "\t" and (ord(c) < 0x20 or ord(c) == 0x7f):
            raise UsageProblem(f"--exec: character {i + 1} is 0x{ord(c):02x}: commands have "
                               "no line ends and no other control characters; "
                               "`;` parts two of them")
    return word("kozo.run", text)


def check(line):
    """Raise UsageProblem for a line that the kernel does not take whole."""
    size = len(os.fsencode(line))
    if size > MOST:
        raise UsageProblem(f"the kernel command line has {size} bytes, and the kernel takes {MOST}")
    return line
