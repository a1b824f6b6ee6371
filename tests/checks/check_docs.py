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
    source.refuse(f"sys/include/kozo/{call}: no comment above it"
                  for call in manpages.undocumented())


def check_links(_tree):
    """A relative link names a file that exists."""
    problems = []
    for path in doctables.documents():
        for n, text in enumerate(path.read_text().splitlines(), 1):
            problems += [f"{path.relative_to(source.SOURCE)}:{n}: no such file: {target}"
                         for target in _LINK.findall(text)
                         if "://" not in target and not (path.parent / target).exists()]
    source.refuse(problems)


_TESTS = {"unit": ("unit/test_{}.c",), "smoke": ("smoke/guest/{}.c", "smoke/test_{}.py")}


def _missing_tests(cell):
    """The tests that a row of the threats names, and that are no file."""
    suite, missing = "hostile", []
    for before, name in re.findall(r"([^`]*)`([^`]+)`", cell):
        suite = next((s for s in _TESTS if re.search(rf"\b{s} $", before)),
                     suite if "," in before else "hostile")
        if name.endswith(".c"):
            places = (f"hostile/guest/{name}",)
        elif name.startswith("test_"):
            places = (f"hostile/{name}",)
        elif name.startswith("tests/"):
            places = (name[len("tests/"):],)
        elif suite in _TESTS:
            places = tuple(p.format(name) for p in _TESTS[suite])
        else:
            continue    # a word of another kind: an option, a processor
        if not any((source.SOURCE / "tests" / p).exists() for p in places):
            missing.append(name)
    return missing


def check_every_threat_has_tests_that_exist(_tree):
    text = source.read("docs/spec/security.md").split("## Threats")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+) \| (.+?) \|$", text, re.MULTILINE)
    assert len(rows) > 30, f"{len(rows)} rows found"
    source.refuse(f"docs/spec/security.md: {threat}: no such test: {name}"
                  for threat, _, cell in rows for name in _missing_tests(cell))
    source.refuse(f"docs/spec/security.md: {threat}: names no test" for threat, _, cell in rows[1:]
                  if not re.search(r"`|\]\(", cell))


def check_at_least_120_attacks(_tree):
    """Different ones, by their names: a sweep over values,
    and a machine that it runs on, count once."""
    hostile = source.SOURCE / "tests/hostile"
    guest = re.compile(r"^(?:KOZO_TEST|RAISES|[A-Z]+_TEST)\((\w+)", re.MULTILINE)
    script = re.compile(r"^def (test_\w+)", re.MULTILINE)
    names = {n for f in hostile.glob("guest/*.c") for n in guest.findall(f.read_text())}
    names |= {n for f in hostile.glob("test_*.py") for n in script.findall(f.read_text())}
    assert len(names - {"the_kernels_stacks_have_room"}) >= 120, sorted(names)
