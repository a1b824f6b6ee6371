# SPDX-License-Identifier: MIT
"""instructions that operations of the kernel take, against the accepted figures

The counts are the same on every run; one that rises by more than 3 % over tests/bench/expected.json
fails. A new figure is accepted on purpose with ./kozo bench --accept.
"""

import time
from dataclasses import replace

from kozo.bench import document, rows
from kozo.bench import collect as measure
from kozo.harness import scripted
from kozo.harness.results import FAIL, PASS, SKIP
from kozo.harness.runner import Job

ORDER = 40
NEEDS_BUILD = True


def _judged(blank, result, expected):
    problem = document.problem(result, expected.get(result.name))
    if problem is None:
        return replace(blank, status=PASS)
    where = f"{document.EXPECTED.relative_to(document.EXPECTED.parents[2])}: {result.name}"
    return replace(blank, status=FAIL, message=problem, body=f"{where}: {problem}")


def _run(context, names):
    """One measurement for all rows; a result for each."""
    blanks = {n: scripted.blank("bench", "count", n) for n in names}
    if context.tree.debug:
        return [replace(b, status=SKIP, message="the figures are the release build's") for b in blanks.values()]
    start = time.monotonic()
    measure.build(context.tree)
    results = measure.run(context.tree, names, split=False)
    expected = document.read(document.EXPECTED)
    each = (time.monotonic() - start) / len(results)
    return [replace(_judged(blanks[r.name], r, expected), seconds=each) for r in results]


def collect(context):
    names = [n for n in rows.NAMES if context.selection.has("bench", "count", n)]
    if not names:
        return []
    return [Job("bench", "count", lambda: _run(context, names), tuple(names), parallel=False)]
