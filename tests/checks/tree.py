# SPDX-License-Identifier: MIT
"""Reading the source tree, for checks."""

import re
from pathlib import Path

from kozo.paths import SOURCE

_SKIPPED = re.compile(r"(\.git|build|build-.*|__pycache__)$")
_TEXT = {".c", ".h", ".S", ".def", ".ld", ".py", ".sh", ".build", ".ini", ".md", ".txt", ".conf",
         ".in"}


def files(below="", suffixes=None):
    """All files below a folder of the source, sorted, as paths relative to the source."""
    found = []
    stack = [SOURCE / below]
    while stack:
        folder = stack.pop()
        if not folder.is_dir():
            continue
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                skipped = folder == SOURCE and _SKIPPED.match(entry.name)
                if not skipped and entry.name != "__pycache__":
                    stack.append(entry)
            elif suffixes is None or entry.suffix in suffixes:
                found.append(entry.relative_to(SOURCE))
    return sorted(found)


def is_text(path):
    """Whether a check of the text applies to this file."""
    return path.suffix in _TEXT or path.name in ("kozo", "run")


def lines(path):
    """(number, text) of each line."""
    text = (SOURCE / path).read_text(errors="replace")
    return list(enumerate(text.splitlines(), 1))


def refuse(problems):
    """Fail when there are problems, naming the first twenty."""
    problems = [str(p) for p in problems]
    more = f"\n... and {len(problems) - 20} more" if len(problems) > 20 else ""
    assert not problems, "\n".join(problems[:20]) + more


def read(path):
    return Path(SOURCE / path).read_text(errors="replace")
