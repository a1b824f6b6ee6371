# SPDX-License-Identifier: MIT
"""What ./kozo coverage makes of llvm-cov's export, and of the list of gaps."""

from kozo import coverage, paths
from kozo.errors import KozoError

GAP = coverage.Gap("kernel/a.c", "f", "true", "x == 0")
ENTRY = "# a comment\n\nkernel/a.c f: true: x == 0\n    It never\n    is.\n"


def test_the_list_is_read():
    assert coverage.listed(ENTRY) == [(GAP, "It never is.")]


def test_a_line_that_is_no_entry_is_refused():
    for text in ("kernel/a.c f: maybe: x\n", "    a reason of nothing\n", "nonsense\n"):
        try:
            coverage.listed(text)
        except KozoError as e:
            assert "neither a gap nor a reason" in str(e)
        else:
            raise AssertionError(text)


def test_gaps_and_list_have_to_agree():
    entries = coverage.listed(ENTRY)
    other = coverage.Gap("kernel/a.c", "g", "false", "y")
    assert coverage.problems([GAP], entries) == []
    assert coverage.problems([], entries) == [f"stale, it is taken or gone: {GAP}"]
    assert coverage.problems([GAP, other], entries) == [f"not listed: {other}"]
    assert coverage.problems([GAP, GAP], entries) == [f"not listed: {GAP}"]
    assert coverage.problems([GAP], [(GAP, "")]) == [f"no reason: {GAP}"]


def _first_line_with(path, text):
    lines = (paths.SOURCE / path).read_text().splitlines()
    return next((n, line.index(text) + 1) for n, line in enumerate(lines, 1) if text in line)


def test_an_export_is_read():
    """A condition, seen both ways in two copies of its function; and a macro, seen one way."""
    path = "kernel/cap/cdt.c"
    line, column = _first_line_with(path, "childless)")
    at, begin = _first_line_with(path, "kassert(cdt_is_linked(from)")
    condition = [line, column, line, column + len("childless")]
    macro = [at, begin, at, begin + len("kassert")]
    copies = [{"name": f"{n}.c:cdt_move", "filenames": [path, "kernel/base/log.h"],
               "regions": [[*macro, 1, 0, 1, 1]],
               "branches": [[*condition, n, 1 - n, 0, 0, 4], [9, 9, 9, 12, 0, 5, 1, 0, 4]]}
              for n in (0, 1)]
    found = coverage.read({"data": [{"functions": copies}]})
    assert found.files == {path: (4, 3)} and found.percent == 75.0
    assert [str(g) for g in found.gaps] == [
        f"{path} cdt_move: true: kassert(cdt_is_linked(from) && !cdt_is_linked(to))"]
