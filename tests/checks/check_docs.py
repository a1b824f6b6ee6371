# SPDX-License-Identifier: MIT
"""The documents agree with the source."""

import re
import sys
from pathlib import Path

from kozo import doctables, manpages

sys.path.insert(0, str(Path(__file__).parent))
import tree as source  # noqa: E402

_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")


def check_tables_are_up_to_date(_tree):
    source.refuse(f"{p.relative_to(source.SOURCE)}: a table is out of date: run ./kozo docs"
                  for p, _ in doctables.stale())


def check_every_def_table_is_in_order(_tree):
    """Numbers do not repeat and do not fall."""
    for name in ("errors", "faults", "kinds", "syscalls"):
        columns, rows = doctables.rows(name)
        numbers = [int(r[columns.index("number")], 0) for r in rows]
        assert numbers == sorted(set(numbers)), f"{name}.def: numbers repeat or fall: {numbers}"


def check_pages_of_kozo_sys_are_up_to_date(_tree):
    source.refuse(f"{p.relative_to(source.SOURCE)}: out of date: run ./kozo docs"
                  for p, _ in manpages.stale())


def check_every_call_is_explained(_tree):
    source.refuse(f"sys/include/kozo/{call}: no comment above it" for call in manpages.undocumented())


def check_links(_tree):
    """A relative link names a file that exists."""
    problems = []
    for path in doctables.documents():
        for n, text in enumerate(path.read_text().splitlines(), 1):
            problems += [f"{path.relative_to(source.SOURCE)}:{n}: no such file: {target}"
                         for target in _LINK.findall(text)
                         if "://" not in target and not (path.parent / target).exists()]
    source.refuse(problems)
